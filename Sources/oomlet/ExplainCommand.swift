public import ArgumentParser
import Glibc
public import OomletAttach
import OomletBPF
import OomletJSON
import OomletJournal
import OomletModel
import OomletSystem

extension Explainer.Level: ExpressibleByArgument {}

struct ExplainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Show what would die if memory ran out now, and why.",
    discussion: """
      The kernel decides as it would in earnest, and kills nobody. CONTAINER is an id or the beginning of one, a \
      name, POD/NAME, or the path of a cgroup; it must have a policy. At the pod, a slice or the system another container may \
      give way: then its processes are shown.
      """)

  @Argument(help: "The container.")
  var container: String

  @Option(help: "Where memory runs out: container, pod, slice (the cgroup above the pod, or above the container) or system.")
  var at = Explainer.Level.container

  @Option(name: .shortAndLong, help: "table or json.")
  var output = OutputFormat.table

  func run() throws {
    try Pins.check()
    let container = try Explainer.container(container)
    let explanation = try Explainer(deadline: monotonicNanoseconds() + 4_000_000_000).explain(container, at: at)
    switch output {
    case .json: try printOut(json(explanation).text + "\n")
    case .table:
      try printOut(explanation.sentence(at: at, asked: container) + "\n")
      guard !explanation.candidates.isEmpty else { return }
      let now = Int64(clockNanoseconds(CLOCK_REALTIME))
      let rows = explanation.candidates.enumerated().map { i, candidate in
        [
          String(i + 1), String(candidate.process.pid), printable(candidate.process.comm),
          binarySize(candidate.process.memory.rss), binarySize(candidate.process.memory.anon),
          binarySize(candidate.process.memory.shmem), binarySize(candidate.process.memory.swap),
          String(candidate.process.oomScoreAdj), age(elapsed(since: candidate.process.startTime, now: now)),
          candidate.class.rawValue,
        ]
      }
      try printOut("\n" + table([["RANK", "PID", "COMM", "RSS", "ANON", "SHMEM", "SWAP", "ADJ", "AGE", "CLASS"]] + rows))
    }
  }

  private func json(_ explanation: Explanation) -> JSON {
    let candidates = explanation.candidates.map { candidate in
      guard case .object(let members) = candidate.process.json else { return candidate.process.json }
      return .object(members + [("class", .string(candidate.class.rawValue)), ("score", .string(String(candidate.score)))])
    }
    return .object([
      ("at", .string(at.rawValue)), ("decision", explanation.record.json), ("candidates", .array(candidates)),
    ])
  }
}

extension Explanation {
  func sentence(at level: Explainer.Level, asked container: AttachedContainer) -> String {
    let place =
      switch level {
      case .container: "container \(record.containerName)"
      case .pod:
        "the pod of \(printable(container.identity.name.isEmpty ? String(container.identity.id.prefix(24)) : container.identity.name))"
      case .slice: "slice \(printable(record.limitCgroup))"
      case .system: "the node"
      }
    guard let victim = record.victim, record.outcome != .stoodAside else {
      return "If \(place) ran out of memory now, policy \(printable(record.policy)) would stand aside: \(record.why)."
    }
    return
      "If \(place) ran out of memory now, policy \(printable(record.policy)) would kill \(printable(victim.comm)) (pid \(victim.pid), \(binarySize(victim.memory.rss)) resident): \(record.why)."
  }
}
