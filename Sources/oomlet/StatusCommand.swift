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
    discussion: "What is attached is what the kernel says of the pinned links.")

  @Option(name: .shortAndLong, help: "table or json.")
  var output = OutputFormat.table

  func run() throws {
    var kernel = "supported"
    do throws(Failure) { try KernelSupport.check() } catch { kernel = "unsupported: \(error)" }
    let agent = Agent.isRunning ? "running" : "not running: records wait in the kernel"
    let policies = LoadedPolicies.names
    let lost = State.recordsLost
    let waiting = Ring.current?.records
    let containers = AttachedContainer.all()

    switch output {
    case .json:
      let items = containers.map { container in
        JSON.object([
          ("id", .string(container.identity.id)), ("name", .string(container.identity.name)),
          ("pod", .string(container.identity.pod)), ("namespace", .string(container.identity.namespace)),
          ("policy", .string(container.policy)), ("cgroup", .string(container.cgroup)),
          ("cgroup_id", .integer(Int64(clamping: container.linkedCgroupID))), ("attached", .bool(container.isAttached)),
          ("kill", .string(container.kill.rawValue)), ("pod_cgroup", container.pod.map { .string($0.path) } ?? .null),
          ("oom_group_drift", .bool(container.hasDrifted)),
        ])
      }
      let status = JSON.object([
        ("version", .string(oomletVersion)), ("kernel", .string(kernel)), ("agent", .string(agent)),
        ("policies", .array(policies.map(JSON.string))),
        ("records_lost", lost.map { .integer(Int64(clamping: $0)) } ?? .null),
        ("records_waiting", waiting.map { .integer(Int64(clamping: $0)) } ?? .null), ("attached", .array(items)),
      ])
      printOut(String(decoding: status.encoded(), as: UTF8.self) + "\n")
    case .table:
      printOut(
        table([
          ["Kernel:", kernel], ["Agent:", agent],
          ["Policies:", policies.isEmpty ? "none loaded" : policies.joined(separator: ", ")],
          ["Records lost:", lost.map(String.init) ?? "-"], ["Records waiting:", waiting.map(String.init) ?? "-"],
        ]))
      guard !containers.isEmpty else { return printError("No containers have a policy.\n") }
      let rows = containers.map { container in
        [
          printable(container.identity.id), printable(container.identity.name.isEmpty ? "-" : container.identity.name),
          printable(container.identity.pod.isEmpty ? "-" : container.identity.pod), printable(container.policy),
          container.kill.rawValue, attachment(of: container), printable(container.cgroup),
        ]
      }
      printOut("\n" + table([["CONTAINER", "NAME", "POD", "POLICY", "KILL", "ATTACHED", "CGROUP"]] + rows))
    }
  }

  private func attachment(of container: AttachedContainer) -> String {
    guard container.isAttached else { return "no" }
    return container.hasDrifted ? "yes, memory.oom.group has drifted" : "yes"
  }
}
