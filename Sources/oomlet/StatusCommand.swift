import ArgumentParser
import OomletAgent
import OomletAttach
import OomletBPF
import OomletJSON
import OomletModel
import OomletSystem

struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show what is attached, and whether all is well.",
    discussion: """
      What is attached is what the kernel says of the pinned links; what only the agent knows it is asked. Root may see \
      all; members of group oomlet, where there is one, what the agent says. The kernel is supported if a policy is \
      attached; where none is, one is loaded and attached to a cgroup made for that, and removed.

      Exit status: 0 done, 1 failed, 2 usage, 6 not permitted.
      """)

  @Option(name: .shortAndLong, help: "table or json.")
  var output = OutputFormat.table

  func run() throws {
    let (agent, service) = try askAgent()
    do throws(Failure) { try Pins.check() } catch {
      // Nothing is said of what can't be seen
      if error.status == .notPermitted {
        guard let service else { throw error }
        return try show(service, because: error)
      }
    }
    let kernel = kernelSupport()
    let limits = [tier?.limits ?? ""].filter { !$0.isEmpty } + ((try? KernelSupport.missing()) ?? []).map { "without \($0)" }
    let foreign = foreignPolicies()
    let policies = LoadedPolicies.names
    let lost = State.recordsLost
    let waiting = Ring.current?.records
    let containers = AttachedContainer.all()
    let watched = Pressure.byNode

    switch output {
    case .json:
      let items = containers.map { container in
        JSON.object([
          ("id", .string(container.identity.id)), ("name", .string(container.identity.name)),
          ("pod", .string(container.identity.pod)), ("namespace", .string(container.identity.namespace)),
          ("policy", .string(container.policy)), ("cgroup", .string(container.cgroup)),
          ("cgroup_id", .integer(Int64(clamping: container.attachedCgroupID))), ("attached", .bool(container.isAttached)),
          ("kill", .string(container.kill.rawValue)), ("pod_cgroup", container.pod.map { .string($0.path) } ?? .null),
          ("rule", container.rule.map { .integer(Int64($0)) } ?? .null), ("oom_group_drift", .bool(container.hasDrifted)),
          ("pressure", container.pressure?.json(Node.pressureProblem(ofCgroup: container.cgroup)) ?? .null),
          ("relief", .array(container.relief.map { .string($0.summary) })),
        ])
      }
      let cgroups = watched.map {
        JSON.object([("cgroup", .string($0.cgroup)), ("pressure", $0.pressure.json(Node.pressureProblem(ofCgroup: $0.cgroup)))])
      }
      let status = JSON.object([
        ("version", .string(oomletVersion)), ("kernel", .string(kernel)), ("tier", tier.map { .string($0.rawValue) } ?? .null),
        ("tier_limits", .array(limits.map(JSON.string))), ("agent", .string(agent)),
        ("service", service ?? .null),
        ("policies", .array(policies.map(JSON.string))),
        ("records_lost", lost.map { .integer(Int64(clamping: $0)) } ?? .null),
        ("records_waiting", waiting.map { .integer(Int64(clamping: $0)) } ?? .null),
        ("system_pressure", Pressure.ofSystem?.json(Node.pressureProblem(ofCgroup: "/")) ?? .null),
        ("cgroup_pressure", .array(cgroups)), ("attached", .array(items)),
        (
          "foreign",
          .array(
            foreign.map { .object([("policy", .string($0.policy.name)), ("cgroup", $0.cgroup.map(JSON.string) ?? .null)]) })
        ),
      ])
      try printOut(status.text + "\n")
    case .table:
      try printOut(
        table(
          [
            ["Kernel:", kernel], ["Agent:", agent],
            ["Policies:", policies.isEmpty ? "none loaded" : policies.joined(separator: ", ")],
            ["Records lost:", lost.map(String.init) ?? "-"], ["Records waiting:", waiting.map(String.init) ?? "-"],
            ["Pressure:", Pressure.ofSystem?.summary(Node.pressureProblem(ofCgroup: "/")) ?? "not watched"],
          ] + rows(of: service)
            + watched.map {
              ["Pressure:", "\(printable($0.cgroup)): \($0.pressure.summary(Node.pressureProblem(ofCgroup: $0.cgroup)))"]
            }
            + foreign.map { ["Not oomlet's:", "\(quoted($0.policy.name)) on \(printable($0.cgroup ?? "a cgroup"))"] }))
      guard !containers.isEmpty else { return printError("No containers have a policy.\n") }
      let rows = containers.map { container in
        [
          printable(container.identity.id), printable(container.identity.name.isEmpty ? "-" : container.identity.name),
          printable(container.identity.pod.isEmpty ? "-" : container.identity.pod), printable(container.policy),
          container.kill.rawValue, attachment(of: container),
          container.pressure?.shares(Node.pressureProblem(ofCgroup: container.cgroup)) ?? "-",
          container.relief.isEmpty ? "-" : container.relief.map(\.action.kind.rawValue).joined(separator: ","),
          printable(container.cgroup),
        ]
      }
      try printOut(
        "\n" + table([["CONTAINER", "NAME", "POD", "POLICY", "KILL", "ATTACHED", "PRESSURE", "RELIEF", "CGROUP"]] + rows))
    }
  }

  /// As seen, not as promised: by a policy that is attached, or a trial.
  private func kernelSupport() -> String {
    do throws(Failure) { try KernelSupport.checkInUse() } catch {
      return error.status == .unsupported ? "unsupported: \(error)" : "not known: \(error)"
    }
    guard let tier else { return "supported" }
    return "supported, by tier \(tier.rawValue)"
  }

  private var tier: Tier? { try? KernelSupport.tier() }

  /// In a word and as a whole; nil without agent.
  private func askAgent() throws(Failure) -> (String, JSON?) {
    do throws(Failure) {
      if let service = try AgentClient.status() { return ("running", service) }
      return (Agent.isRunning ? "running, but not to be asked" : "not running: records wait in the kernel", nil)
    } catch {
      guard error.status != .notPermitted else { throw error }
      return ("running, but does not answer: \(error)", nil)
    }
  }

  /// None also where they can't be looked at: doctor says so.
  private func foreignPolicies() -> [(policy: ForeignPolicy, cgroup: String?)] {
    guard let foreign = try? ForeignPolicy.all() else { return [] }
    let paths = Cgroup.paths(ofIDs: Set(foreign.map(\.cgroupID)))
    return foreign.map { ($0, paths[$0.cgroupID]) }
  }

  /// To who may ask the agent but not look at the kernel's objects.
  private func show(_ service: JSON, because failure: Failure) throws(Failure) {
    switch output {
    case .json:
      let status = JSON.object([("version", .string(oomletVersion)), ("agent", .string("running")), ("service", service)])
      try printOut(status.text + "\n")
    case .table: try printOut(table([["Agent:", "running"]] + rows(of: service)))
    }
    printError("oomlet: what is attached is not shown: \(failure)\n")
  }

  private func rows(of service: JSON?) -> [[String]] {
    guard let service else { return [] }
    func text(_ json: JSON?) -> String { printable(json?.string ?? "-", limit: 2000) }
    let config = service["config"]
    let uptime = UInt64(clamping: service["uptime_seconds"]?.integer ?? 0)
    let loaded = "loaded \(text(config?["loaded"]))"
    let error = config?["error"]?.string.map { printable($0, limit: 2000) }
    return [
      ["Version:", "\(text(service["version"])), up \(age(seconds: uptime))"],
      ["Config:", error.map { "\($0); in force is what was \(loaded)" } ?? loaded],
      ["Journal:", service["journal"]?["error"]?.string.map { printable($0, limit: 2000) } ?? text(service["journal"]?["path"])],
    ]
      + (service["system_relief"]?.array ?? []).map { ["Relief:", text($0)] }
      + (service["degraded"]?.array ?? []).filter { !["config", "journal"].contains($0["reason"]?.string) }
      .map { ["Degraded:", text($0["message"])] }
  }

  private func attachment(of container: AttachedContainer) -> String {
    guard container.isAttached else { return "no" }
    return container.hasDrifted ? "yes, memory.oom.group has drifted" : "yes"
  }
}
