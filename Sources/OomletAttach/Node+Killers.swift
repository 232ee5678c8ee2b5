public import OomletModel
public import OomletSystem

extension Node {
  /// Whether systemd-oomd runs, which kills whole cgroups for pressure and swap by its own measure.
  public static func systemdOomdProblem(cgroups: String = Cgroup.mountPoint) -> Failure? {
    let events = contents(of: "\(cgroups)/system.slice/systemd-oomd.service/cgroup.events") ?? []
    guard String(decoding: events, as: UTF8.self).split(separator: "\n").contains("populated 1") else { return nil }
    return Failure(
      .occupied,
      "systemd-oomd runs, and kills whole cgroups by a measure of its own: systemctl disable --now systemd-oomd, or leave ManagedOOMSwap= and ManagedOOMMemoryPressure= of the containers' slices at auto"
    )
  }

  /// Others that kill when memory is short, by the name of their processes.
  private static let killers: Set<String> = ["earlyoom", "nohang", "nohang-desktop", "oomd", "oomd_bin", "bustd"]

  /// Whether another program of the node kills for want of memory. What is in a container is its own affair, and its name
  /// anybody's: programs in another PID namespace don't count.
  public static func killersProblem(proc: String = "/proc") -> Failure? {
    let pids = (namesInDirectory(proc) ?? []).filter { $0.utf8.allSatisfy { (48...57).contains($0) } }
    let found = pids.compactMap { pid in
      text(of: "\(proc)/\(pid)/comm").flatMap { killers.contains($0) && isOfNode("\(proc)/\(pid)/status") ? $0 : nil }
    }
    let names = Set(found).sorted()
    guard let name = names.first else { return nil }
    let kill =
      names.count == 1 ? "kills when memory is short, by a measure of its" : "kill when memory is short, by a measure of their"
    return Failure(
      .occupied,
      "\(names.joined(separator: " and ")) \(kill) own and before any policy is asked: systemctl disable --now \(name), or keep it from containers"
    )
  }

  /// It has one number only: in this PID namespace (proc_pid_status(5), NSpid).
  private static func isOfNode(_ status: String) -> Bool {
    let line = String(decoding: contents(of: status) ?? [], as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("NSpid:") }
    return line?.split(whereSeparator: \.isWhitespace).count == 2
  }
}
