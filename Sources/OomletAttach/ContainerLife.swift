internal import Glibc
internal import OomletSystem

/// One life of a container: its first process. Ids and cgroups are used again.
public struct ContainerLife: Equatable, Sendable {
  public let pid: Int
  /// In ticks since boot: field 22 of /proc/PID/stat (proc(5)).
  public let startTime: UInt64

  public init(pid: Int, startTime: UInt64) { (self.pid, self.startTime) = (pid, startTime) }

  /// nil: the process is gone.
  public init?(of pid: Int) {
    // The name, in parentheses, may have spaces; field 3 follows it
    guard let stat = contents(of: "/proc/\(pid)/stat"), let end = stat.lastIndex(of: UInt8(ascii: ")")) else { return nil }
    let fields = stat[(end + 1)...].split(separator: UInt8(ascii: " "))
    guard fields.count > 19, let startTime = UInt64(String(decoding: fields[19], as: UTF8.self)) else { return nil }
    self.init(pid: pid, startTime: startTime)
  }

  var isOver: Bool { ContainerLife(of: pid) != self }
}
