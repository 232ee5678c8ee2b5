internal import Glibc
public import OomletModel

/// A file of lines that several processes append to. When it is as large as it may be it is put aside as `NAME.1`, and the one
/// before goes.
public struct BoundedLog: Sendable {
  public let path: String
  public var older: String { "\(path).1" }

  /// In ns: how long to wait for others who append.
  private static let patience: UInt64 = 200_000_000

  public init(_ path: String) { self.path = path }

  /// - Parameters:
  ///   - line: without its end.
  ///   - maxSize: of the file, in bytes.
  ///   - once: not again while the file has the same line.
  /// - Throws: ``ExitStatus/failed``, ``ExitStatus/deadline``.
  public func append(_ line: [UInt8], maxSize: UInt64, once: Bool = false) throws(Failure) {
    let end = UInt8(ascii: "\n")
    while true {
      let file = try open()
      var status = stat()
      // Another may have put it aside meanwhile
      guard fstat(file.raw, &status) == 0, inode(of: path) == UInt64(status.st_ino) else { continue }
      if status.st_size > 0, UInt64(status.st_size) + UInt64(line.count) + 1 > maxSize {
        guard rename(path, older) == 0 else { throw Failure(.failed, systemError("cannot rename \(path) to \(older)")) }
        continue
      }
      if once, contents(of: path)?.split(separator: end).contains(line[...]) == true { return }
      // What a crash has cut off stays alone on its line
      var last = end
      if status.st_size > 0 { pread(file.raw, &last, 1, status.st_size - 1) }
      guard writeAll(file.raw, (last == end ? [] : [end]) + line + [end]) else {
        throw Failure(.failed, systemError("cannot write \(path)"))
      }
      return
    }
  }

  /// Locked for as long as it is open.
  private func open() throws(Failure) -> OwnedFD {
    guard let file = openFile(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, mode: 0o640) else {
      throw Failure(.failed, systemError("cannot open \(path)"))
    }
    let deadline = monotonicNanoseconds() + BoundedLog.patience
    while flock(file.raw, LOCK_EX | LOCK_NB) != 0 {
      guard errno == EWOULDBLOCK || errno == EINTR else { throw Failure(.failed, systemError("cannot lock \(path)")) }
      guard monotonicNanoseconds() < deadline else { throw Failure(.deadline, "\(path) is locked by another process") }
      usleep(1000)
    }
    return file
  }
}
