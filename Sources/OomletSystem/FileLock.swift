internal import CLinux
internal import Glibc
public import OomletModel

/// A flock(2), held until it goes; the kernel drops it with the process.
public struct FileLock: ~Copyable {
  private let fd: OwnedFD

  /// - Parameters:
  ///   - isShared: others may have it at the same time that share it, too.
  ///   - deadline: in ns of CLOCK_MONOTONIC.
  /// - Throws: ``ExitStatus/deadline`` if somebody else has it until then.
  public init(_ path: String, isShared: Bool = false, deadline: UInt64) throws(Failure) {
    guard let file = openFile(path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600) else {
      throw Failure(.failed, systemError("cannot open \(path)"))
    }
    // Longer each time: fifty that wait must not take the processor from the one that works
    var pause: UInt32 = 1000
    while flock(file.raw, (isShared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0 {
      guard errno == EWOULDBLOCK || errno == EINTR else { throw Failure(.failed, systemError("cannot lock \(path)")) }
      guard monotonicNanoseconds() < deadline else {
        throw Failure(.deadline, "\(path) is locked by another process of oomlet")
      }
      usleep(pause)
      pause = min(pause * 2, 64_000)
    }
    fd = file
  }

  /// The lock lasts until here.
  public consuming func release() {}

  /// Whether somebody holds it.
  public static func isHeld(_ path: String) -> Bool {
    guard let file = openFile(path, O_RDWR | O_NOFOLLOW) else { return false }
    return flock(file.raw, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK
  }
}
