internal import CLinux
internal import Glibc
public import OomletModel
internal import OomletSystem

/// What the kernel lets a process do beyond what files' modes allow (capabilities(7)).
public enum Capability: UInt8, CaseIterable, Sendable {
  case dacOverride = 1
  case kill = 5
  case sysPtrace = 19
  case syslog = 34
  case perfmon = 38
  case bpf = 39

  /// As in capabilities(7).
  public var name: String {
    switch self {
    case .dacOverride: "CAP_DAC_OVERRIDE"
    case .kill: "CAP_KILL"
    case .sysPtrace: "CAP_SYS_PTRACE"
    case .syslog: "CAP_SYSLOG"
    case .perfmon: "CAP_PERFMON"
    case .bpf: "CAP_BPF"
    }
  }

  /// Drops all but those in this thread and those it starts, for good; with them goes the way to gain any by executing a program.
  public static func keepOnly(_ kept: [Capability]) throws(Failure) {
    let set = kept.reduce(into: UInt64(0)) { $0 |= 1 << UInt64($1.rawValue) }
    guard clinux_keep_capabilities(set) == 0 else { throw Failure(.failed, systemError("cannot drop capabilities")) }
  }

  /// The capabilities of this thread that are in force, whatever their names: bit n is capability n.
  public static var effective: UInt64? {
    guard let status = contents(of: "/proc/thread-self/status") else { return nil }
    let line = String(decoding: status, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("CapEff:") }
    return line.flatMap { UInt64($0.dropFirst("CapEff:".count).drop { $0 == "\t" || $0 == " " }, radix: 16) }
  }
}
