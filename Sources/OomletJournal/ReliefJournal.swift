internal import Glibc
public import OomletJSON
public import OomletModel
internal import OomletSystem

/// What stages of relief have come to, a JSON object a line: beside the records of kills, which are never held up by it.
/// Appended to by the agent alone; when the file is large, the one before it goes.
public final class ReliefJournal {
  public static let defaultPath = "/var/lib/oomlet/relief.jsonl"

  private let path: String

  public init(path: String = defaultPath) { self.path = path }

  /// - Parameter maxSize: of the file, in bytes; at most two are kept.
  public func append(_ record: ReliefRecord, maxSize: UInt64) throws(Failure) {
    if let end = path.lastIndex(of: "/") { try makeDirectory(String(path[..<end]), mode: 0o750) }
    let line = record.json.encoded() + [UInt8(ascii: "\n")]
    var file = try open()
    var status = stat()
    if fstat(file.raw, &status) == 0, status.st_size > 0, UInt64(status.st_size) + UInt64(line.count) > maxSize {
      rename(path, ReliefJournal.older(path))
      file = try open()
      status.st_size = 0
    }
    // What a crash has cut off stays alone on its line
    var last: UInt8 = UInt8(ascii: "\n")
    if status.st_size > 0 { pread(file.raw, &last, 1, status.st_size - 1) }
    guard writeAll(file.raw, (last == UInt8(ascii: "\n") ? [] : [UInt8(ascii: "\n")]) + line) else {
      throw Failure(.failed, systemError("cannot write \(path)"))
    }
  }

  private func open() throws(Failure) -> OwnedFD {
    guard let file = openFile(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, mode: 0o640) else {
      throw Failure(.failed, systemError("cannot open \(path)"))
    }
    return file
  }

  private static func older(_ path: String) -> String { "\(path).1" }

  /// All there are, the oldest first; none if there is no such file. What is no JSON object is left out.
  ///
  /// - Throws: ``ExitStatus/notPermitted``, ``ExitStatus/failed``.
  public static func records(path: String = defaultPath) throws(Failure) -> [JSON] {
    var all: [JSON] = []
    for path in [older(path), path] {
      guard let bytes = contents(of: path, limit: 1 << 30) else {
        guard errno != ENOENT else { continue }
        throw Failure(errno == EACCES ? .notPermitted : .failed, systemError("cannot read \(path)"))
      }
      all += bytes.split(separator: UInt8(ascii: "\n")).compactMap { line in
        (try? JSON(parsing: Array(line))).flatMap { $0["stage"] == nil ? nil : $0 }
      }
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
