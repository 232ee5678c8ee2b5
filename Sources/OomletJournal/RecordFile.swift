internal import Glibc
internal import OomletJSON
internal import OomletModel
internal import OomletSystem

/// One file of the journal, read from its beginning on.
struct RecordFile: ~Copyable {
  private let path: String
  private let file: OwnedFD
  /// Behind the last whole line.
  private var offset: off_t = 0
  private var lines = 0
  private(set) var damage: Damage

  /// nil and errno if it can't be opened.
  init?(_ path: String) {
    guard let file = openFile(path, O_RDONLY | O_NOFOLLOW) else { return nil }
    self.path = path
    self.file = file
    damage = Damage(path: path)
  }

  var identity: FileIdentity? { FileIdentity(open: file.raw) }

  /// Records of the next lines; nil if there is no more whole line. A line that is no record is left out, and is ``damage``.
  mutating func next() throws(Failure) -> [KillRecord]? {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 18)
    while true {
      let n = pread(file.raw, &chunk, chunk.count, offset + off_t(bytes.count))
      if n < 0 && errno == EINTR { continue }
      guard n >= 0 else { throw Failure(.failed, systemError("cannot read \(path)")) }
      bytes += chunk[..<n]
      if let end = bytes.lastIndex(of: UInt8(ascii: "\n")) {
        offset += off_t(end + 1)
        return bytes[..<end].split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
          .compactMap { record($0) }
      }
      if n < chunk.count { return nil }
    }
  }

  private mutating func record(_ line: ArraySlice<UInt8>) -> KillRecord? {
    lines += 1
    let record = KillRecord(line: Array(line))
    if record == nil, !line.isEmpty { damage.add(line: lines) }
    return record
  }

  /// Nobody writes to it any more: what is behind the last line end is damage, too.
  mutating func close() {
    var status = stat()
    if fstat(file.raw, &status) == 0, status.st_size > offset { damage.add(line: lines + 1) }
  }
}

/// Lines of a file that can't be read: a disk's fault, or somebody's who has edited it.
struct Damage: Equatable {
  let path: String
  private(set) var lines = 0
  private var first = 0

  init(path: String) { self.path = path }

  /// - Parameter number: from 1.
  mutating func add(line number: Int) {
    if lines == 0 { first = number }
    lines += 1
  }

  /// nil: there are none.
  var failure: Failure? {
    guard lines > 0 else { return nil }
    let what = lines == 1 ? "line \(first) is no record" : "\(lines) lines are no records, the first is line \(first)"
    return Failure(.failed, "\(path): \(what): what was there is lost, the rest is read")
  }
}

extension KillRecord {
  /// nil: no record.
  init?(line: [UInt8]) {
    guard let json = try? JSON(parsing: line), let record = KillRecord(json: json) else { return nil }
    self = record
  }
}
