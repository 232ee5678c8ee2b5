internal import Glibc
public import OomletModel
public import OomletSystem

/// What a node has, besides oomlet, that keeps policies from deciding; each is nil where all is well, or says what is so and what
/// to do.
public enum Node {
  /// Whether the kernel counts memory by cgroup.
  public static func memoryProblem(proc: String = "/proc", cgroups: String = Cgroup.mountPoint) -> Failure? {
    guard let controllers = text(of: "\(cgroups)/cgroup.controllers"), !controllers.split(separator: " ").contains("memory")
    else {
      return nil
    }
    return Failure(
      .unsupported,
      isDisabled("memory", proc)
        ? "the kernel counts no memory by cgroup, since it was booted with cgroup_disable=memory: boot it without; no limit works"
        : "cgroup v2 has no memory controller here: boot with systemd.unified_cgroup_hierarchy=1, or cgroup_no_v1=memory")
  }

  /// Whether the kernel dies of an OOM, or kills whoever asked, before it asks any policy (Documentation/admin-guide/sysctl/vm.rst).
  public static func sysctlProblem(proc: String = "/proc") -> Failure? {
    let problems = [
      ("panic_on_oom", "the machine panics when it is out of memory, before a policy is asked"),
      ("oom_kill_allocating_task", "when the node is out of memory, whoever asked for it dies, and no policy is asked"),
    ]
    for (name, problem) in problems {
      guard let value = text(of: "\(proc)/sys/vm/\(name)"), value != "0" else { continue }
      // 1 spares the OOMs of limits
      let limits = name == "panic_on_oom" && value == "2" ? ", and at the limit of any container" : ""
      return Failure(.occupied, "vm.\(name) is \(printable(value)): \(problem)\(limits); sysctl -w vm.\(name)=0")
    }
    return nil
  }

  /// Whether a controller or feature is off by the kernel's command line (kernel-parameters.txt: cgroup_disable=).
  static func isDisabled(_ name: String, _ proc: String) -> Bool {
    commandLine(proc).contains { $0.hasPrefix("cgroup_disable=") && $0.dropFirst(15).split(separator: ",").contains(name[...]) }
  }

  static func commandLine(_ proc: String) -> [Substring] {
    String(decoding: contents(of: "\(proc)/cmdline") ?? [], as: UTF8.self).split(whereSeparator: \.isWhitespace)
  }

  /// A file's only line, or nil and errno.
  static func text(of path: String) -> String? {
    contents(of: path).map { String(decoding: $0.last == UInt8(ascii: "\n") ? $0.dropLast() : $0[...], as: UTF8.self) }
  }
}
