import ArgumentParser
import Glibc
import OomletBPF
import OomletJSON
import OomletModel
import OomletPolicy
import OomletSystem

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Check a policy before a container has it.",
    discussion: """
      FILE is an annotation's value, lines of annotations, a Kubernetes manifest, a bundle's config.json or a \
      node configuration; which one it is shows its content. "-" is stdin, and of a directory all .yaml, .yml and \
      .json files are checked, in those below it, too. All that is wrong goes to stderr, a line each, with line and \
      column; nothing is wrong: what it means goes to stdout.

      Exit status: 0 nothing wrong, 1 unreadable, 2 usage, 3 something is wrong, 7 no such file.
      """)

  @Option(name: .shortAndLong, help: "text or json.")
  var output = CheckOutput.text

  @Option(name: .long, help: ArgumentHelp("Where the node's own policies are.", valueName: "dir"))
  var customPolicies = CustomPolicy.directory

  @Flag(help: .hidden)
  var grammarTables = false

  @Argument(help: ArgumentHelp("Files and directories, or -.", valueName: "file"))
  var files: [String] = []

  func validate() throws {
    guard !files.isEmpty || grammarTables else { throw ValidationError("Missing expected argument '<file>'") }
  }

  func run() throws {
    guard !grammarTables else { return try printGrammarTables() }
    let checker = Checker(grammar: PolicyGrammar(customPolicies: try customPolicyNames()))
    var checked: [(file: String, report: CheckReport)] = []
    var failures: [Failure] = []
    for name in files {
      do throws(Failure) {
        for file in try CheckedFile.all(name) {
          checked.append((file.name, checker.check(try file.text(), isFound: file.isFound)))
        }
      } catch { failures.append(error) }
    }
    try show(checked)
    for failure in failures { printError("oomlet: \(failure)\n") }
    if let failure = failures.first { throw ExitCode(failure.status.rawValue) }
    guard checked.allSatisfy(\.report.problems.isEmpty) else { throw ExitCode(ExitStatus.invalid.rawValue) }
  }

  private func printGrammarTables() throws(Failure) {
    try printOut(GrammarTables.all.map { "<!-- table: \($0.name) -->\n\($0.text)<!-- end -->\n" }.joined(separator: "\n"))
  }

  private func customPolicyNames() throws(Failure) -> [String] {
    guard customPolicies != CustomPolicy.directory else { return CustomPolicy.names }
    guard let names = CustomPolicy.names(in: customPolicies) else {
      let isMissing = errno == ENOENT || errno == ENOTDIR
      throw Failure(isMissing ? .notFound : .failed, systemError("cannot read directory \(printable(customPolicies))"))
    }
    return names
  }

  private func show(_ checked: [(file: String, report: CheckReport)]) throws(Failure) {
    switch output {
    case .json: try printOut(json(checked).text + "\n")
    case .text: for (file, report) in checked { try show(report, as: file) }
    }
  }

  private func show(_ report: CheckReport, as file: String) throws(Failure) {
    func line(_ problem: Problem, _ word: String) -> (Problem, String) {
      (problem, "\(file):\(problem.line):\(problem.column): \(word)\(problem.message)\n")
    }
    let lines = report.problems.map { line($0, "") } + report.warnings.map { line($0, "warning: ") }
    printError(lines.sorted { ($0.0.line, $0.0.column) < ($1.0.line, $1.0.column) }.map(\.1).joined())
    guard report.problems.isEmpty else { return }
    try printOut(report.items.map { "\(file): \($0.description)\n" }.joined())
  }

  private func json(_ checked: [(file: String, report: CheckReport)]) -> JSON {
    func all<Value>(_ values: KeyPath<CheckReport, [Value]>, _ members: (Value) -> [(key: String, value: JSON)]) -> JSON {
      .array(
        checked.flatMap { file, report in report[keyPath: values].map { .object([("file", .string(file))] + members($0)) } })
    }
    func text(_ text: String?) -> JSON { text.map(JSON.string) ?? .null }
    func problem(_ problem: Problem) -> [(key: String, value: JSON)] {
      [
        ("line", .integer(Int64(problem.line))), ("column", .integer(Int64(problem.column))),
        ("message", .string(problem.message)),
      ]
    }
    let items = all(\.items) { item in
      [
        ("kind", .string(item.kind)), ("name", .string(item.name)), ("key", text(item.key)), ("place", text(item.place)),
        ("value", text(item.value)),
        ("victim", text(item.request?.victim.description)), ("kill", text(item.request?.kill.rawValue)),
        ("summary", .string(item.summary)),
      ]
    }
    return .object([("items", items), ("problems", all(\.problems, problem)), ("warnings", all(\.warnings, problem))])
  }
}

enum CheckOutput: String, ExpressibleByArgument, CaseIterable {
  case text, json
}
