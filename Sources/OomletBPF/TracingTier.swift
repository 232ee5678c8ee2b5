internal import CLibbpf
internal import COomletABI
internal import Glibc
internal import OomletModel
internal import OomletSystem

/// Tier `tracing`: see bpf/tracing.bpf.c.
struct TracingTier: Mechanism {
  let tier = Tier.tracing
  let attachStyle = OOMLET_ATTACH_STORAGE
  let object = tracingObject
  let missing: [String]
  /// Of the kernel, which the programs are attached to; nil: there is none.
  private let functions: [String: String?]

  /// The programs and the kernel's functions that they are for: those without which nothing decides, and what does not work
  /// without the others. With lockdep, mutexes are locked by functions of other names.
  private static let required = [
    ("want_1", ["mem_cgroup_out_of_memory"]), ("want_2", ["mem_cgroup_out_of_memory"]), ("want_3", ["mem_cgroup_out_of_memory"]),
    ("decide_for_limit", ["mutex_lock_killable", "mutex_lock_killable_nested"]),
  ]
  private static let optional = [
    ("want_of_system", ["try_to_free_pages"], "OOMs of the system"),
    ("decide_for_system", ["mutex_trylock", "_mutex_trylock_nest_lock"], "OOMs of the system"),
    ("watch_pressure", ["psi_memstall_enter"], "pressure"),
  ]

  /// nil: the kernel lacks what it takes, of which the name is added to `lacking`.
  init?(_ types: KernelTypes, lacking: inout [String]) {
    func find(_ names: [String]) -> String? { names.first(where: types.hasFunction) }
    if !types.hasFunction("bpf_send_signal_task") { lacking.append("kfunc bpf_send_signal_task, of Linux 6.13 and later") }
    for (_, names) in TracingTier.required where find(names) == nil && !lacking.contains("function \(names[0])") {
      lacking.append("function \(names[0])")
    }
    guard lacking.isEmpty else { return nil }
    var functions: [String: String?] = [:]
    for (program, names) in TracingTier.required { functions[program] = find(names) }
    var missing: [String] = []
    for (program, names, what) in TracingTier.optional {
      let function = find(names)
      functions.updateValue(function, forKey: program)
      if function == nil { missing.append("\(what), for the kernel has no function \(names[0]) of its own") }
    }
    if !Kallsyms.areShown {
      missing.append(
        "OOMs of the system, for /proc/kallsyms does not show oom_lock (set kernel.kptr_restrict below 2, give CAP_SYSLOG)")
    }
    (self.functions, self.missing) = (functions, missing)
  }

  private func isThere(_ program: String) -> Bool { (functions[program] ?? nil) != nil }

  var attached: [(program: String, pin: String)] {
    let programs = ["tell_of_left"] + TracingTier.required.map(\.0) + TracingTier.optional.map(\.0).filter(isThere)
    return programs.map { ($0, $0) }
  }

  var deciders: [(program: String, pin: String)] {
    ["decide_for_limit", "decide_for_system", "watch_pressure"].filter(isThere).map { ($0, "\($0)_program") }
  }

  func prepare(_ object: borrowing BPFObject) {
    for (name, function) in functions {
      guard let program = object.program(name) else { continue }
      if let function {
        bpf_program__set_attach_target(program, 0, function)
      } else {
        bpf_program__set_autoload(program, false)
      }
    }
  }

  /// Nothing of the kernel's: the map stands for the policy, whose id it gives.
  func makePolicy(_ kind: PolicyMap.Kind, handler: borrowing OwnedFD) throws(Failure) -> OwnedFD {
    let shortName = String(kind.name.dropFirst("oomlet_".count).prefix(15))
    let fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, shortName, 4, 4, 1, nil)
    guard fd >= 0 else { throw failure("cannot make policy \(kind.name)") }
    return OwnedFD(fd)
  }

  func tryOut(_ policy: borrowing OwnedFD, on cgroup: borrowing Cgroup) throws(Failure) {}
}

/// The kernel's symbols, as far as it shows them.
enum Kallsyms {
  /// Whether the one that OOMs of the system take is there, and has its address.
  static var areShown: Bool {
    guard let file = fopen("/proc/kallsyms", "r") else { return false }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while fgets(&line, CInt(line.count), file) != nil {
      guard strstr(line, " oom_lock\n") != nil else { continue }
      return line.prefix(16).contains { $0 != CChar(bitPattern: UInt8(ascii: "0")) }
    }
    return false
  }
}
