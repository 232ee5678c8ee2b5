import ArgumentParser
import Glibc
import OomletJSON
import OomletJournal
import OomletModel
import OomletSystem

struct KillsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kills",
    abstract: "Show who was killed, and why.",
    discussion: "Reads the agent's journal, oldest first. With -o json: one object a line, as in the journal.")

  @Flag(name: .shortAndLong, help: "Go on with what comes.")
  var follow = false

  @Option(name: .shortAndLong, help: "table or json.")
  var output = OutputFormat.table

  func run() throws {
    var reader = JournalReader()
    let records = try reader.next()
    if records.isEmpty && !follow { printError("No kills found.\n") }
    guard show(records, header: true) else { return }
    while follow {
      // The journal is a file: half of the second that a record may take
      usleep(250_000)
      guard show(try reader.next(), header: false) else { return }
    }
  }

  /// - Returns: false if nobody reads.
  private func show(_ records: [KillRecord], header: Bool) -> Bool {
    guard !records.isEmpty || (header && follow) else { return true }
    switch output {
    case .json:
      return printOut(records.map { String(decoding: $0.json.encoded(), as: UTF8.self) + "\n" }.joined())
    case .table:
      let now = Int64(clockNanoseconds(CLOCK_REALTIME))
      let rows = records.map { record in
        [
          follow ? timestamp(record.time) : age(now - record.time), record.containerName, record.policy,
          record.outcome.rawValue, record.victim.map { "\(printable($0.comm)) (\($0.pid))" } ?? "-",
          record.victim.map { binarySize($0.memory.rss) } ?? "-", record.why,
        ]
      }
      let head = [[follow ? "TIME" : "AGE", "CONTAINER", "POLICY", "OUTCOME", "VICTIM", "RSS", "WHY"]]
      return printOut(table((header ? head : []) + rows))
    }
  }
}
