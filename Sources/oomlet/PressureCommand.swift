import ArgumentParser
import OomletAttach
import OomletBPF
import OomletJSON
import OomletModel
import OomletPolicy
import OomletSystem

struct PressureCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pressure",
    abstract: "Show the pressure of a container or another cgroup, or change what it may be.",
    discussion: """
      Pressure is the share of the time in which tasks stall for want of memory. With --some or --full the limit is \
      changed at once, until the container is started again; for what the node's configuration names, until the agent \
      reads it again. What other options leave out is as it was. Where the \
      kernel measures no pressure, it is unavailable, and to change its limit is exit status 4.
      """)

  @Argument(help: "A container's id, its beginning or name; a cgroup's path, with a slash in front; or system.")
  var container: String

  @Option(help: "Share of the time in which some tasks stall, such as 40%.")
  var some: String?
  @Option(help: "Share of the time in which all tasks stall.")
  var full: String?
  @Option(help: "The time the share is taken over, such as 10s.")
  var over: String?
  @Option(name: .customLong("for"), help: "How long it must hold.")
  var hold: String?
  @Option(help: "How long to wait after a kill.")
  var cooldown: String?
  @Option(help: "Of the system: only while less than this share of RAM is available.")
  var available: String?
  @Flag(help: "No limit any more.")
  var off = false
  @Option(name: .shortAndLong, help: "table or json.")
  var output = OutputFormat.table

  func run() throws {
    let cgroup = try Cgroup(path: path)
    let problem = Node.pressureProblem(ofCgroup: cgroup.path)
    let before = Pressure(of: cgroup)
    let given = [("some", some), ("full", full), ("over", over), ("for", hold), ("cooldown", cooldown), ("available", available)]
      .compactMap { key, value in value.map { (key, $0) } }
    if off {
      guard given.isEmpty else { throw Failure(.invalid, "--off: expected no other option with it") }
      try Pressure.setLimit(nil, byNode: before?.isByNode ?? false, of: cgroup)
    } else if !given.isEmpty {
      if let problem { throw problem }
      let place: PressureGrammar.Place = container == "system" ? .system : container.hasPrefix("/") ? .cgroup : .container
      let limit = try PressureGrammar.limit(given, before: before?.limit, of: place)
      try Pressure.setLimit(limit, dryRun: before?.dryRun ?? false, byNode: before?.isByNode ?? false, of: cgroup)
    }
    let pressure = Pressure(of: cgroup)
    switch output {
    case .json: try printOut((pressure?.json(problem) ?? .null).text + "\n")
    case .table: try printOut((pressure?.summary(problem) ?? "not watched") + "\n")
    }
  }

  private var path: String {
    get throws {
      if container == "system" { return "/" }
      return try container.hasPrefix("/") ? container : Explainer.container(container).cgroup
    }
  }
}
