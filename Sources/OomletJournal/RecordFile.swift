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

  /// nil and errno if it can't be opened.
  init?(_ path: String) {
    guard let file = openFile(path, O_RDONLY | O_NOFOLLOW) else { return nil }
    self.path = path
    self.file = file
  }

  var identity: FileIdentity? { FileIdentity(open: file.raw) }

  /// Records of the next lines; nil if there is no more whole line. A line that is no record is left out.
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
        return bytes[..<end].split(separator: UInt8(ascii: "\n")).compactMap { KillRecord(line: Array($0)) }
      }
      if n < chunk.count { return nil }
    }
  }
}

extension KillRecord {
  /// nil: no record.
  init?(line: [UInt8]) {
    guard let json = try? JSON(parsing: line), let record = KillRecord(json: json) else { return nil }
    self = record
  }
}
