import ArgumentParser
import Glibc
import OomletJSON
import OomletJournal
import OomletModel
import OomletSystem

struct ReliefCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "relief",
    abstract: "Show what was done before an OOM, and what that freed.",
    discussion: """
      Reads what the agent has kept of the stages that policies and the configuration ask for (key relief), oldest first. \
      With -o json: one object a line.
      """)

  @Option(name: .shortAndLong, help: "table or json.")
  var output = OutputFormat.table

  @OptionGroup var lastOnes: LastOption

  func run() throws {
    let all = try ReliefJournal.records { printError("oomlet: warning: \($0)\n") }
    let records = all.suffix(lastOnes.last ?? all.count)
    if records.isEmpty { printError("No relief found.\n") }
    switch output {
    case .json: try printOut(records.map { $0.text + "\n" }.joined())
    case .table:
      guard !records.isEmpty else { return }
      let now = Int64(clockNanoseconds(CLOCK_REALTIME))
      let rows = records.map { record in
        [
          record["time"]?.string.flatMap(nanoseconds(fromTimestamp:)).map { age(elapsed(since: $0, now: now)) } ?? "-",
          KillRecord.Container(json: record["container"] ?? .null).label,
          record["stage"]?.string ?? "-", record["outcome"]?.string ?? "-",
          record["freed_bytes"]?.integer.map { binarySize(UInt64(clamping: $0)) } ?? "-",
          printable(record["message"]?.string ?? ""),
        ]
      }
      try printOut(table([["AGE", "CONTAINER", "STAGE", "OUTCOME", "FREED", "MESSAGE"]] + rows))
    }
  }
}
