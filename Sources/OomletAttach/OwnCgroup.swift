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
    let own = mountNamespace(of: pid)
    let node = mountNamespace(of: 1)
    let runtime = isStarting ? [Int(getpid()), Int(getppid())] : [Int(getpid())]
    for process in cgroup.processes where process != pid {
      let namespace = mountNamespace(of: process)
      let isForeign =
        runtime.contains(process) || namespace != nil && namespace != own && (isStarting || namespace == node)
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

  private static func mountNamespace(of pid: Int) -> UInt64? { inode(of: "/proc/\(pid)/ns/mnt") }
}
