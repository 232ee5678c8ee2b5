internal import Glibc
public import OomletJSON
public import OomletModel
internal import OomletSystem

/// What stages of relief have come to, a JSON object a line: beside the records of kills, which are never held up by it.
/// Appended to by the agent alone.
public final class ReliefJournal {
  public static let defaultPath = "/var/lib/oomlet/relief.jsonl"

  private let log: BoundedLog

  public init(path: String = defaultPath) { log = BoundedLog(path) }

  /// - Parameter maxSize: of the file, in bytes; at most two are kept.
  public func append(_ record: ReliefRecord, maxSize: UInt64) throws(Failure) {
    if let end = log.path.lastIndex(of: "/") { try makeDirectory(String(log.path[..<end]), mode: 0o750) }
    try log.append(record.json.encoded(), maxSize: maxSize)
  }

  /// All there are, the oldest first; none if there is no such file. A line that is no record is left out.
  ///
  /// - Parameter complain: called with what can't be read of a file.
  /// - Throws: ``ExitStatus/notPermitted``, ``ExitStatus/failed``.
  public static func records(
    path: String = defaultPath, complain: (Failure) -> Void = { _ in }
  ) throws(Failure) -> [JSON] {
    var all: [JSON] = []
    for path in [BoundedLog(path).older, path] {
      guard let bytes = contents(of: path, limit: 1 << 30) else {
        guard errno != ENOENT else { continue }
        throw Failure(errno == EACCES ? .notPermitted : .failed, systemError("cannot read \(path)"))
      }
      var damage = Damage(path: path)
      for (i, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
        if let json = try? JSON(parsing: Array(line)), json["stage"] != nil {
          all.append(json)
        } else if !line.isEmpty {
          damage.add(line: i + 1)
        }
      }
      if let failure = damage.failure { complain(failure) }
    }
    return all
  }
}

extension ReliefRecord {
  /// As the journal and `oomlet relief -o json` have it; the names are a promise.
  public var json: JSON {
    .object([
      ("time", .string(timestamp(time))), ("container", container.json), ("for_node", .bool(isForNode)),
      ("number", .integer(Int64(number))), ("stage", .string(stage.action.kind.rawValue)), ("asked", .string(stage.summary)),
      ("pressure", .object([("kind", .string(kind.rawValue)), ("permille", .integer(Int64(permille)))])),
      ("outcome", .string(outcome.rawValue)), ("freed_bytes", .integer(Int64(clamping: freed))),
      ("files", .integer(Int64(files))),
      ("process", process.map { .object([("pid", .integer(Int64($0.pid))), ("comm", .string($0.comm))]) } ?? .null),
      ("duration_ns", .integer(Int64(clamping: duration))), ("message", .string(message)), ("sentence", .string(sentence)),
    ])
  }
}
