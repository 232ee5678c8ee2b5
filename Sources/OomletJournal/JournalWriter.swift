internal import Glibc
internal import OomletJSON
public import OomletModel
internal import OomletSystem

/// Appends records to the journal, a JSON object a line. One writer at a time.
public final class JournalWriter {
  public static let defaultPath = "/var/lib/oomlet/kills.jsonl"

  private let file: OwnedFD
  private let path: String
  /// boot and time of the last record: what the ring buffer hands out again after a crash is known by it
  private var last: (bootID: String, bootTime: UInt64)?

  /// Repairs the end first: a crash in the middle of a write leaves a line without end, whose record is still in the
  /// ring buffer.
  public init(path: String = defaultPath) throws(Failure) {
    self.path = path
    if let slash = path.lastIndex(of: "/"), slash != path.startIndex { try makeDirectory(String(path[..<slash]), mode: 0o750) }
    guard let file = openFile(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, mode: 0o640) else {
      throw Failure(.failed, systemError("cannot open \(path)"))
    }
    let (whole, lastLine) = JournalWriter.end(of: file.raw)
    guard ftruncate(file.raw, whole) == 0 else { throw Failure(.failed, systemError("cannot repair \(path)")) }
    if let lastLine, let json = try? JSON(parsing: lastLine), let record = KillRecord(json: json) {
      last = (record.bootID, record.bootTime)
    }
    self.file = file
  }

  /// - Returns: false if the journal has it already.
  @discardableResult
  public func append(_ record: KillRecord) throws(Failure) -> Bool {
    if let last, last.bootID == record.bootID, record.bootTime <= last.bootTime { return false }
    let before = lseek(file.raw, 0, SEEK_END)
    guard writeAll(file.raw, record.json.encoded() + [UInt8(ascii: "\n")]) else {
      let message = systemError("cannot write \(path)")
      ftruncate(file.raw, before)
      throw Failure(.failed, message)
    }
    last = (record.bootID, record.bootTime)
    return true
  }

  /// Onto the disk with what was appended.
  public func sync() { fdatasync(file.raw) }

  /// How long the file is up to the end of its last whole line, and that line.
  private static func end(of fd: CInt) -> (whole: off_t, lastLine: [UInt8]?) {
    let size = lseek(fd, 0, SEEK_END)
    var tail: [UInt8] = []
    var start = size
    // Backwards, until there are two line ends or the file begins
    while start > 0, tail.count(where: { $0 == UInt8(ascii: "\n") }) < 2 {
      let chunk = min(start, 1 << 16)
      start -= chunk
      var bytes = [UInt8](repeating: 0, count: Int(chunk))
      guard pread(fd, &bytes, bytes.count, start) == bytes.count else { return (size, nil) }
      tail = bytes + tail
    }
    guard let end = tail.lastIndex(of: UInt8(ascii: "\n")) else { return (0, nil) }
    let begin = tail[..<end].lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    return (start + off_t(end) + 1, Array(tail[begin..<end]))
  }
}
