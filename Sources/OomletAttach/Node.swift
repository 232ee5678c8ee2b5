internal import Glibc
public import OomletModel
public import OomletSystem

/// What a node has besides oomlet that matters for it; each is nil where all is well, or says what is so and what to do.
public enum Node {
  /// Whether the kernel measures pressure (PSI).
  public static func pressureProblem(proc: String = "/proc") -> Failure? {
    // With psi=0 older kernels have the files, and refuse to open them
    guard contents(of: "\(proc)/pressure/memory")?.isEmpty != false else { return nil }
    let words = String(decoding: contents(of: "\(proc)/cmdline") ?? [], as: UTF8.self).split(whereSeparator: \.isWhitespace)
    let isOff = words.last { $0.hasPrefix("psi=") }.map { !["1", "y", "on", "true"].contains($0.dropFirst(4)) } ?? false
    return Failure(
      .unsupported,
      isOff
        ? "the kernel measures no pressure (PSI), since it was booted with psi=0: boot it without; limits work"
        : "the kernel measures no pressure (PSI): boot it with psi=1 (it needs CONFIG_PSI); limits work")
  }

  /// Share of the last 10 s in which tasks of the node stalled for want of memory, 0 … 1 (avg10 of /proc/pressure/memory;
  /// Documentation/accounting/psi.rst); nil: the kernel does not tell.
  public static func stallShare(_ kind: PressureRequest.Kind, proc: String = "/proc") -> Double? {
    let lines = String(decoding: contents(of: "\(proc)/pressure/memory") ?? [], as: UTF8.self).split(separator: "\n")
    let words = lines.first { $0.hasPrefix("\(kind.rawValue) ") }?.split(separator: " ")
    return words?.first { $0.hasPrefix("avg10=") }.flatMap { Double($0.dropFirst(6)) }.map { $0 / 100 }
  }

  /// Whether systemd-oomd runs, which kills whole cgroups for pressure and swap by its own measure.
  public static func systemdOomdProblem(cgroups: String = Cgroup.mountPoint) -> Failure? {
    let events = contents(of: "\(cgroups)/system.slice/systemd-oomd.service/cgroup.events") ?? []
    guard String(decoding: events, as: UTF8.self).split(separator: "\n").contains("populated 1") else { return nil }
    return Failure(
      .occupied,
      "systemd-oomd runs, and kills whole cgroups by a measure of its own: systemctl disable --now systemd-oomd, or leave ManagedOOMSwap= and ManagedOOMMemoryPressure= of the containers' slices at auto"
    )
  }
}
