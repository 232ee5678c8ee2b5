internal import Glibc
internal import OomletAttach
internal import OomletBPF
internal import OomletJSON
internal import OomletJournal
internal import OomletModel
internal import OomletPolicy
internal import OomletPrivileges
internal import OomletSystem

/// One thing that oomlet needs of a node, or that keeps it from its work, and how it is.
public struct Finding: Sendable {
  public enum Result: String, Sendable { case ok, warn, fail }

  public let check: String
  public let result: Result
  public let detail: String
  /// What to do; nil if all is well.
  public let remedy: String?
}

/// Looks at all that oomlet needs, changes nothing.
public struct Doctor {
  /// Where podman and CRI-O look for hooks: the administrator's first (oci-hooks(5)).
  static let hookDirectories = ["/etc/containers/oci/hooks.d", "/usr/share/containers/oci/hooks.d"]

  private static let asRoot = "run oomlet doctor as root"

  private(set) var findings: [Finding] = []

  public static func examine() -> [Finding] {
    var doctor = Doctor()
    doctor.kernel()
    doctor.rights()
    doctor.others()
    doctor.runtimes()
    doctor.hooks()
    doctor.files()
    doctor.agent()
    return doctor.findings
  }

  private mutating func ok(_ check: String, _ detail: String) {
    findings.append(Finding(check: check, result: .ok, detail: detail, remedy: nil))
  }
  private mutating func warn(_ check: String, _ detail: String, _ remedy: String) {
    findings.append(Finding(check: check, result: .warn, detail: detail, remedy: remedy))
  }
  private mutating func fail(_ check: String, _ detail: String, _ remedy: String) {
    findings.append(Finding(check: check, result: .fail, detail: detail, remedy: remedy))
  }

  private mutating func kernel() {
    if access("/sys/kernel/btf/vmlinux", R_OK) == 0 {
      ok("btf", "the kernel's types are in /sys/kernel/btf/vmlinux")
    } else {
      fail("btf", systemError("cannot read /sys/kernel/btf/vmlinux"), "boot a kernel with CONFIG_DEBUG_INFO_BTF")
    }
    policies()
    if let problem = Node.pressureProblem() {
      warn("psi", problem.description, "policies without pressure work all the same")
    } else {
      let problems = Doctor.watchedCgroups.compactMap { Node.pressureProblem(ofCgroup: $0) }
      for problem in problems { warn("psi", problem.description, "policies without pressure work all the same") }
      if problems.isEmpty { ok("psi", "the kernel measures pressure") }
    }
    do throws(Failure) {
      try Pins.check()
      ok("bpffs", "\(Pins.filesystem) is a BPF file system")
    } catch {
      let isRights = error.status == .notPermitted
      let mount = "mount it at boot: systemd does, by sys-fs-bpf.mount; a running agent goes on by itself"
      fail("bpffs", error.description, isRights ? Doctor.asRoot : mount)
    }
    do throws(Failure) {
      let root = try Cgroup(path: "/")
      let controllers = (root.value(of: "cgroup.subtree_control") ?? "").split(separator: " ")
      if let problem = Node.memoryProblem() {
        fail("cgroup", problem.description, "until then containers start without policies")
      } else if !Cgroup.isWhole {
        fail("cgroup", Cgroup.partProblem, Cgroup.partRemedy)
      } else if controllers.contains("memory") {
        ok("cgroup", "\(Cgroup.mountPoint) is cgroup v2, with the memory controller")
      } else {
        fail(
          "cgroup", "the root cgroup gives no memory controller to those below",
          "echo +memory >\(Cgroup.mountPoint)/cgroup.subtree_control")
      }
    } catch {
      fail("cgroup", error.description, "boot with systemd.unified_cgroup_hierarchy=1")
    }
  }

  /// Those whose stalls have a limit.
  private static var watchedCgroups: [String] {
    AttachedContainer.all().filter { $0.pressure != nil }.map(\.cgroup) + Pressure.byNode.map(\.cgroup)
  }

  /// By a trial: what the kernel's types promise it may yet refuse.
  private mutating func policies() {
    do throws(Failure) { try KernelSupport.check() } catch {
      return fail(
        "bpf-oom", error.description, "boot one that docs/kernels.md lists; until then containers start without policies")
    }
    do throws(Failure) {
      try KernelSupport.tryOut()
      ok("bpf-oom", "a policy was loaded, and attached to a cgroup made for that")
      tier()
    } catch {
      switch error.status {
      case .notPermitted:
        fail("bpf-oom", "not tried: \(error)", "\(Doctor.asRoot), with \(Agent.capabilities.map(\.name).joined(separator: ", "))")
      case .unsupported:
        fail(
          "bpf-oom", "the kernel has what policies need, and refuses oomlet's: \(error)",
          "report this with the output of uname -r; until then containers start without policies")
      default: fail("bpf-oom", "no policy could be tried: \(error)", "see what it says, and run oomlet doctor again")
      }
    }
  }

  private mutating func tier() {
    guard let tier = try? KernelSupport.tier(), let missing = try? KernelSupport.missing() else { return }
    for part in missing { warn("tier", "\(tier.rawValue): without \(part)", "see docs/kernels.md; all else works") }
    guard missing.isEmpty else { return }
    ok("tier", "policies decide by tier \(tier.rawValue)" + (tier.limits.isEmpty ? "" : ": \(tier.limits)"))
  }

  private mutating func rights() {
    let effective = Capability.effective ?? 0
    let missing = Agent.capabilities.filter { effective >> UInt64($0.rawValue) & 1 == 0 }
    if missing.isEmpty, geteuid() == 0 {
      ok("capabilities", "root, with \(Agent.capabilities.map(\.name).joined(separator: ", "))")
    } else {
      fail(
        "capabilities", missing.isEmpty ? "not root" : "\(missing.map(\.name).joined(separator: ", ")) missing",
        "\(Doctor.asRoot), in a container with these added")
    }
  }

  private mutating func others() {
    if let problem = Node.sysctlProblem() {
      warn("sysctl", problem.description, "and take it out of /etc/sysctl.conf and /etc/sysctl.d")
    } else {
      ok("sysctl", "the kernel asks policies at an OOM")
    }
    if let problem = Node.killersProblem() {
      warn("oom-killers", "another program kills when memory is short", problem.description)
    } else {
      ok("oom-killers", "no other program that is known to kill when memory is short runs")
    }
    for ending in AttachedContainer.endings {
      warn("systemd", ending, "until then a kill by a policy ends all of it")
    }
    if let problem = Node.systemdOomdProblem() {
      warn("systemd-oomd", "systemd-oomd runs, and kills by a measure of its own", problem.description)
    } else {
      ok("systemd-oomd", "does not run")
    }
    do throws(Failure) {
      let foreign = try ForeignPolicy.all()
      let paths = Cgroup.paths(ofIDs: Set(foreign.map(\.cgroupID)))
      for policy in foreign {
        let place = paths[policy.cgroupID].map { $0 == "/" ? "the root cgroup" : "cgroup \(printable($0))" }
        warn(
          "foreign-policy",
          "\(place ?? "cgroup id \(policy.cgroupID)") has an OOM policy that is not oomlet's: \(quoted(policy.name))",
          "it stays until whoever attached it takes it off: bpftool link detach id \(policy.linkID)")
      }
      if foreign.isEmpty { ok("foreign-policy", "no cgroup has an OOM policy that is not oomlet's") }
    } catch {
      warn("foreign-policy", error.description, "\(Doctor.asRoot), with CAP_SYS_ADMIN")
    }
    for version in OtherVersion.all() {
      let inForce = version.inForce
      warn(
        "other-version", "oomlet \(version.name) has \(count(inForce, "policy", "policies")) in force",
        inForce == 0 ? "oomlet cleanup" : "oomlet cleanup, once their containers have ended")
    }
  }

  private mutating func runtimes() {
    let directories = StateDirectories()
    let seen = directories.seen
    if let problem = directories.problem {
      warn("runtimes", problem.description, StateDirectories.remedy)
    } else {
      let places = seen.joined(separator: ", ")
      ok("runtimes", seen.isEmpty ? "no runtime has had a container yet" : "their containers are in \(places)")
    }
  }

  private mutating func hooks() {
    let entries = Doctor.hookEntries(in: Doctor.hookDirectories)
    guard !entries.isEmpty else {
      return warn(
        "hooks", "no hook entry of oomlet in \(Doctor.hookDirectories.joined(separator: " or "))",
        "install one, or name oomlet-hook in the bundles (docs/hook.md); containers of podman and CRI-O start without policies")
    }
    for (file, program) in entries {
      guard let program else {
        fail("hooks", "\(file) is no hook entry", "oci-hooks(5) says how one is written")
        continue
      }
      if access(program, X_OK) == 0 {
        ok("hooks", "\(file) runs \(program)")
      } else {
        fail("hooks", systemError("\(file) runs \(program), which can't be"), "install \(program), or remove \(file)")
      }
    }
  }

  /// Files that name oomlet-hook, and the program each runs; nil: it can't be read.
  static func hookEntries(in directories: [String]) -> [(file: String, program: String?)] {
    var entries: [(file: String, program: String?)] = []
    for directory in directories {
      for name in namesInDirectory(directory) ?? [] where name.hasSuffix(".json") {
        let text = contents(of: "\(directory)/\(name)") ?? []
        guard name.contains("oomlet") || String(decoding: text, as: UTF8.self).contains("oomlet-hook") else { continue }
        // The administrator's file is instead of the packaged one of the same name
        guard !entries.contains(where: { $0.file.hasSuffix("/\(name)") }) else { continue }
        entries.append(("\(directory)/\(name)", (try? JSON(parsing: text))?["hook"]?["path"]?.string))
      }
    }
    return entries
  }

  private mutating func files() {
    let journal = JournalWriter.defaultPath
    var directory = String(journal[..<journal.lastIndex(of: "/")!])
    while access(directory, F_OK) != 0, let slash = directory.lastIndex(of: "/"), slash != directory.startIndex {
      directory = String(directory[..<slash])
    }
    if access(access(journal, F_OK) == 0 ? journal : directory, W_OK) == 0 {
      ok("journal", "\(journal) can be written")
    } else {
      let isRights = errno == EACCES && geteuid() != 0
      fail("journal", systemError("cannot write \(journal)"), isRights ? Doctor.asRoot : "make its file system writable")
    }
    do throws(Failure) {
      _ = try NodeConfig.load()
      ok(
        "config",
        access(NodeConfig.path, F_OK) == 0 ? "\(NodeConfig.path) is valid" : "no \(NodeConfig.path): all is as by default")
    } catch {
      fail("config", error.description, "oomlet check \(NodeConfig.path); a running agent keeps what it had loaded before")
    }
    let missing = Set(CustomPolicy.names).subtracting(LoadedPolicies.names)
    if geteuid() == 0, !missing.isEmpty {
      warn(
        "custom-policies", "not loaded: \(missing.sorted().joined(separator: ", "))",
        "oomlet reload says why, where the agent runs")
    }
  }

  /// What it has looked at by itself.
  private static let looked: Set<Degradation> = [
    .kernel, .tier, .bpffs, .psi, .memoryController, .oomSysctl, .systemdOomd, .oomKiller, .runtimes, .otherVersion,
  ]

  private mutating func agent() {
    do throws(Failure) {
      guard let status = try AgentClient.status() else {
        return warn(
          "agent", "not running",
          "start oomlet agent: policies decide without it, but records wait, and slices and the node may have no policy")
      }
      let version = status["version"]?.string ?? "unknown"
      if version == oomletVersion {
        ok("agent", "version \(version) runs")
      } else {
        warn(
          "agent", "version \(printable(version)) runs, this is \(oomletVersion)",
          "restart the agent: containers keep their policies")
      }
      for reason in status["degraded"]?.array ?? [] {
        // What is looked at above is said above
        guard let name = reason["reason"]?.string.flatMap(Degradation.init(rawValue:)), !Doctor.looked.contains(name) else {
          continue
        }
        warn(
          "agent", "degraded: \(printable(reason["message"]?.string ?? name.rawValue, limit: 1000))",
          "see oomlet status and the agent's log")
      }
    } catch {
      let isRights = error.status == .notPermitted
      fail("agent", error.description, isRights ? Doctor.asRoot : "see the agent's log, and restart it")
    }
  }
}
