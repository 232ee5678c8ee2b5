internal import CLinux
internal import Glibc
internal import OomletModel
internal import OomletSystem

/// A signal to a process of a container, and the time to follow it.
enum ProcessSignal {
  static func send(_ signal: ReliefSignal, to pid: Int32?, in cgroup: borrowing Cgroup, until deadline: UInt64)
    -> ReliefJob.Result
  {
    guard let pid else { return .init(outcome: .nothing, message: "no process of it would die") }
    // From here on it is the same process, or none
    let raw = clinux_pidfd_open(pid)
    guard raw >= 0 else { return .init(outcome: .nothing, message: "process \(pid) has ended") }
    let process = OwnedFD(raw)
    guard cgroup.holds(Int(pid)) else {
      return .init(outcome: .nothing, message: "process \(pid) has ended")
    }
    let comm = contents(of: "/proc/\(pid)/comm").map { String(decoding: $0.dropLast(), as: UTF8.self) } ?? ""
    let before = usage(cgroup)
    guard clinux_pidfd_send_signal(process.raw, signal.number) == 0 else {
      return .init(outcome: .failed, process: (pid, comm), message: systemError("cannot send \(signal.rawValue)"))
    }
    var waiting = pollfd(fd: process.raw, events: Int16(POLLIN), revents: 0)
    while case let now = monotonicNanoseconds(), now < deadline {
      guard poll(&waiting, 1, CInt((deadline - now) / 1_000_000 + 1)) > 0 else { continue }
      let after = usage(cgroup)
      return .init(outcome: .done, freed: before > after ? before - after : 0, process: (pid, comm))
    }
    return .init(outcome: .partly, process: (pid, comm))
  }

  private static func usage(_ cgroup: borrowing Cgroup) -> UInt64 {
    cgroup.value(of: "memory.current").flatMap { UInt64($0) } ?? 0
  }
}

extension ReliefSignal {
  fileprivate var number: CInt {
    switch self {
    case .hup: SIGHUP
    case .int: SIGINT
    case .quit: SIGQUIT
    case .usr1: SIGUSR1
    case .usr2: SIGUSR2
    case .term: SIGTERM
    }
  }
}
