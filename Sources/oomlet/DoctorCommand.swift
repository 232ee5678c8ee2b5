import ArgumentParser
import OomletAgent
import OomletJSON
import OomletModel
import OomletSystem

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Check what oomlet needs of this node.",
    discussion: """
      The kernel, file systems, rights, others that kill or have policies, hook entries, files, the agent: a line \
      each, with what to do. Changes nothing. Run it as root.

      Exit status: 0 nothing fails (there may be warnings), 1 something fails.
      """)

  @Option(name: .shortAndLong, help: "table or json.")
  var output = OutputFormat.table

  func run() throws {
    let findings = Doctor.examine()
    switch output {
    case .json:
      let items = findings.map { finding in
        JSON.object([
          ("check", .string(finding.check)), ("result", .string(finding.result.rawValue)), ("detail", .string(finding.detail)),
          ("remedy", finding.remedy.map(JSON.string) ?? .null),
        ])
      }
      try printOut(JSON.object([("items", .array(items))]).text + "\n")
    case .table:
      let rows = findings.map { [$0.result.rawValue, $0.check, $0.detail + ($0.remedy.map { "; remedy: \($0)" } ?? "")] }
      try printOut(table([["RESULT", "CHECK", "DETAIL"]] + rows))
    }
    guard !findings.contains(where: { $0.result == .fail }) else { throw ExitCode(ExitStatus.failed.rawValue) }
  }
}
