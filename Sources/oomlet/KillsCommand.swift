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
      Reads the agent's journal, oldest first, with the files that were put aside. With -o json: one object a line, as in \
      the journal. Of several filters, all must hold.
      """)

  @Flag(name: .shortAndLong, help: "Go on with what comes.")
  var follow = false

  @Option(name: .shortAndLong, help: "table or json.")
  var output = OutputFormat.table

  @OptionGroup var filter: KillFilter

  @OptionGroup var lastOnes: LastOption

  func run() throws {
    var reader = JournalReader()
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
    guard show(records, header: true) else { return }
    while follow {
      // The journal is a file: half of the second that a record may take
      usleep(250_000)
      while case let some = try reader.next(), !some.isEmpty {
        guard show(some.filter(matches), header: false) else { return }
      }
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
