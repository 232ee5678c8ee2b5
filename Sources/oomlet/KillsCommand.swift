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
    discussion: """
      Reads the agent's journal, as the records came, with the files that were put aside. With -o json: one object a line, as in \
      the journal. Of several filters, all must hold.
      """)

  @Flag(name: .shortAndLong, help: "Go on with what comes.")
  var follow = false

  @Option(name: .shortAndLong, help: "table or json.")
  var output = OutputFormat.table

  @OptionGroup var filter: KillFilter

  @OptionGroup var lastOnes: LastOption

  func run() throws {
    var reader = JournalReader { printError("oomlet: warning: \($0)\n") }
    let matches = filter.matcher(now: Int64(clockNanoseconds(CLOCK_REALTIME)))
    var names = SeenNames()
    var records: [KillRecord] = []
    while case let some = try reader.next(), !some.isEmpty {
      names.add(some)
      records += some.filter(matches)
      // What is not shown is not kept
      if let last = lastOnes.last, records.count > last { records.removeFirst(records.count - last) }
    }
    if records.isEmpty && !follow { printError("No kills found\(names.hint(for: filter) ?? ".")\n") }
    try show(records, header: true)
    while follow {
      // The journal is a file: half of the second that a record may take
      usleep(250_000)
      while case let some = try reader.next(), !some.isEmpty {
        try show(some.filter(matches), header: false)
      }
    }
  }

  private func show(_ records: [KillRecord], header: Bool) throws(Failure) {
    guard !records.isEmpty || (header && follow) else { return }
    switch output {
    case .json: try printOut(records.map { $0.json.text + "\n" }.joined())
    case .table:
      let now = Int64(clockNanoseconds(CLOCK_REALTIME))
      let rows = records.map { record in
        [
          follow ? timestamp(record.time) : age(elapsed(since: record.time, now: now)), record.containerName, record.policy,
          record.outcome.rawValue, record.victim.map { "\(printable($0.comm)) (\($0.pid))" } ?? "-",
          record.victim.map { binarySize($0.memory.rss) } ?? "-", record.why,
        ]
      }
      let head = [[follow ? "TIME" : "AGE", "CONTAINER", "POLICY", "OUTCOME", "VICTIM", "RSS", "WHY"]]
      try printOut(table((header ? head : []) + rows))
    }
  }
}
