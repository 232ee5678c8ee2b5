internal import Glibc
internal import OomletModel
internal import OomletSystem

/// memory.reclaim of a cgroup (cgroup-v2.rst).
enum MemoryReclaim {
  /// In bytes. Each is done or not, so that what was freed is known to one of them.
  private static let step: UInt64 = 1 << 20

  static func run(_ bytes: UInt64, of cgroup: borrowing Cgroup, until deadline: UInt64) -> ReliefJob.Result {
    let file = openat(cgroup.fd.raw, "memory.reclaim", O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return .init(outcome: .failed, message: systemError("cannot open memory.reclaim")) }
    let owned = OwnedFD(file)
    var freed: UInt64 = 0
    while freed < bytes {
      let left = min(bytes - freed, step)
      let text = Array(String(left).utf8)
      guard monotonicNanoseconds() < deadline else { return ended(freed, "no more time") }
      if write(owned.raw, text, text.count) == text.count {
        freed += left
      } else if errno == EAGAIN {
        return ended(freed, "the rest is in use")
      } else if errno != EINTR {
        return .init(outcome: .failed, freed: freed, message: systemError("cannot write memory.reclaim"))
      }
    }
    return .init(outcome: .done, freed: freed)
  }

  private static func ended(_ freed: UInt64, _ why: String) -> ReliefJob.Result {
    .init(outcome: freed > 0 ? .partly : .nothing, freed: freed, message: why)
  }
}
