internal import Glibc
internal import OomletModel
internal import OomletSystem

/// Whether a cgroup is one container's alone: nothing is written to one that isn't.
enum OwnCgroup {
  /// - Parameters:
  ///   - pid: the container's first process.
  ///   - isStarting: its program has not begun, so that nothing but that process belongs there; else what it has started may be
  ///     in mount namespaces of its own.
  /// - Throws: ``ExitStatus/unsupported``, with who else is in it.
  static func check(_ cgroup: borrowing Cgroup, of pid: Int, isStarting: Bool) throws(Failure) {
    guard cgroup.path != "/" else {
      throw Failure(.unsupported, "the container has no cgroup of its own, but is in the root cgroup: \(expected)")
    }
    guard cgroup.holds(pid) else {
      throw Failure(.unsupported, "process \(pid) is not in cgroup \(printable(cgroup.path)), which its runtime made for it")
    }
    guard let own = rootMount(of: pid) else { throw Attacher.Container.isGone(pid) }
    let node = rootMount(of: 1)
    let runtime = isStarting ? [Int(getpid()), Int(getppid())] : [Int(getpid())]
    for process in cgroup.processes where process != pid {
      let root = rootMount(of: process)
      let isForeign = runtime.contains(process) || root != nil && root != own && (isStarting || root == node)
      guard isForeign else { continue }
      let comm = String(decoding: contents(of: "/proc/\(process)/comm") ?? [], as: UTF8.self).split(separator: "\n").first ?? ""
      throw Failure(
        .unsupported,
        "cgroup \(printable(cgroup.path)) is not the container's alone, process \(process) (\(printable(String(comm)))) is in it, too: \(expected)"
      )
    }
  }

  private static let expected =
    "expected one made for it, so no --cgroups=disabled, no cgroup manager \"disabled\", and a cgroupsPath that no other container has"

  /// The id of the first mount that a process sees, another one in each mount namespace: what the namespace's own number takes
  /// rights to see (proc_pid_mountinfo(5)). nil: it is gone.
  private static func rootMount(of pid: Int) -> Int? {
    contents(of: "/proc/\(pid)/mountinfo").flatMap { Int(String(decoding: $0.prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self)) }
  }
}
