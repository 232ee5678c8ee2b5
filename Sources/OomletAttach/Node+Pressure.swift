internal import Glibc
public import OomletModel
public import OomletSystem

extension Node {
  /// Whether the kernel measures pressure (PSI), of the node and of cgroups.
  public static func pressureProblem(proc: String = "/proc", cgroups: String = Cgroup.mountPoint) -> Failure? {
    missingPressure(proc) ?? missingCgroupPressure(proc) ?? isOff("/", cgroups)
  }

  /// Whether that of a cgroup is measured; of `/`, that of the node.
  public static func pressureProblem(
    ofCgroup path: String, proc: String = "/proc", cgroups: String = Cgroup.mountPoint
  ) -> Failure? {
    missingPressure(proc) ?? (path == "/" ? nil : missingCgroupPressure(proc)) ?? isOff(path, cgroups)
  }

  private static func missingPressure(_ proc: String) -> Failure? {
    // With psi=0 older kernels have the files, and refuse to open them
    guard contents(of: "\(proc)/pressure/memory")?.isEmpty != false else { return nil }
    let isOff = commandLine(proc).last { $0.hasPrefix("psi=") }.map { !["1", "y", "on", "true"].contains($0.dropFirst(4)) }
    return Failure(
      .unsupported,
      isOff ?? false
        ? "the kernel measures no pressure (PSI), since it was booted with psi=0: boot it without; limits work"
        : "the kernel measures no pressure (PSI): boot it with psi=1 (it needs CONFIG_PSI); limits work")
  }

  private static func missingCgroupPressure(_ proc: String) -> Failure? {
    guard isDisabled("pressure", proc) else { return nil }
    return Failure(
      .unsupported,
      "the kernel measures no pressure of cgroups, since it was booted with cgroup_disable=pressure: boot it without; limits work"
    )
  }

  /// By a switch that each cgroup has for itself (cgroup-v2.rst, cgroup.pressure); what it shows then stands still, or is gone.
  private static func isOff(_ path: String, _ cgroups: String) -> Failure? {
    let file = "\(cgroups)\(path == "/" ? "" : path)/cgroup.pressure"
    guard text(of: file) == "0" else { return nil }
    let name = path == "/" ? "the node" : "cgroup \(printable(path))"
    return Failure(.unsupported, "pressure of \(name) is not measured: echo 1 >\(printable(file)); limits work")
  }

  /// Share of the last 10 s in which tasks of the node stalled for want of memory, 0 … 1 (avg10 of /proc/pressure/memory;
  /// Documentation/accounting/psi.rst); nil: the kernel does not tell.
  public static func stallShare(_ kind: PressureRequest.Kind, proc: String = "/proc", cgroups: String = Cgroup.mountPoint)
    -> Double?
  {
    guard pressureProblem(ofCgroup: "/", proc: proc, cgroups: cgroups) == nil else { return nil }
    let lines = String(decoding: contents(of: "\(proc)/pressure/memory") ?? [], as: UTF8.self).split(separator: "\n")
    let words = lines.first { $0.hasPrefix("\(kind.rawValue) ") }?.split(separator: " ")
    return words?.first { $0.hasPrefix("avg10=") }.flatMap { Double($0.dropFirst(6)) }.map { $0 / 100 }
  }
}
