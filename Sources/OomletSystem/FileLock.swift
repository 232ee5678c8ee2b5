internal import CLinux
internal import Glibc
public import OomletModel

/// A lock on a file, held until it goes; the kernel drops it with the process.
public struct FileLock: ~Copyable {
  private let fd: OwnedFD

  /// - Parameters:
  ///   - part: nil: all of it, by flock(2); else what is named so, and no other part of it, which is apart from all of it
  ///     (open file description locks, fcntl(2)).
  ///   - deadline: in ns of CLOCK_MONOTONIC.
  /// - Throws: ``ExitStatus/deadline`` if somebody else has it until then.
  public init(_ path: String, part: String? = nil, deadline: UInt64) throws(Failure) {
    guard let file = openFile(path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600) else {
      throw Failure(.failed, systemError("cannot open \(path)"))
    }
    // Longer each time: fifty that wait must not take the processor from the one that works
    var pause: UInt32 = 1000
    let byte = part.map(FileLock.byte)
    while (byte.map { clinux_lock_byte(file.raw, $0) } ?? flock(file.raw, LOCK_EX | LOCK_NB)) != 0 {
      guard errno == EWOULDBLOCK || errno == EACCES || errno == EINTR else {
        throw Failure(.failed, systemError("cannot lock \(path)"))
      }
      guard monotonicNanoseconds() < deadline else {
        throw Failure(.deadline, "\(path) is locked by another process of oomlet")
      }
      usleep(pause)
      pause = min(pause * 2, 64_000)
    }
    fd = file
  }

  /// FNV-1a. Two parts of the same byte wait for each other, which is no harm.
  private static func byte(_ part: String) -> Int64 {
    let hash = part.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    return Int64(hash >> 2)
  }

  /// The lock lasts until here.
  public consuming func release() {}

  /// Whether somebody holds it.
  public static func isHeld(_ path: String) -> Bool {
    guard let file = openFile(path, O_RDWR | O_NOFOLLOW) else { return false }
    return flock(file.raw, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK
  }
}
