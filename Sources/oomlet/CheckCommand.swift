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
      FILE is an annotation's value, a Kubernetes manifest, a bundle's config.json or a node configuration; \
      which one it is shows its content. "-" is stdin. All that is wrong goes to stderr, a line each, with \
      line and column; nothing is wrong: what it means goes to stdout.

      Exit status: 0 nothing wrong, 1 unreadable, 2 usage, 3 something is wrong, 7 no such file.
      """)

  @Option(name: .shortAndLong, help: "text or json.")
  var output = CheckOutput.text

  @Option(name: .long, help: ArgumentHelp("Where the node's own policies are.", valueName: "dir"))
  var customPolicies = CustomPolicy.directory

  @Flag(help: .hidden)
  var grammarTables = false

  @Argument(help: "The file, or -.")
  var file: String?

  func validate() throws {
    guard file != nil || grammarTables else { throw ValidationError("Missing expected argument '<file>'") }
  }

  func run() throws {
    guard let file, !grammarTables else { return printGrammarTables() }
    let report = Checker(grammar: PolicyGrammar(customPolicies: try customPolicyNames())).check(try read(file))
    show(report, as: file == "-" ? "stdin" : printable(file))
    guard report.problems.isEmpty else { throw ExitCode(ExitStatus.invalid.rawValue) }
  }

  private func printGrammarTables() {
    printOut(GrammarTables.all.map { "<!-- table: \($0.name) -->\n\($0.text)<!-- end -->\n" }.joined(separator: "\n"))
  }

  private func read(_ file: String) throws(Failure) -> [UInt8] {
    guard let bytes = file == "-" ? readAll(raw: 0) : contents(of: file) else {
      let isMissing = errno == ENOENT || errno == ENOTDIR
      throw Failure(isMissing ? .notFound : .failed, systemError("cannot read \(file == "-" ? "stdin" : printable(file))"))
    }
    return bytes
  }

  private func customPolicyNames() throws(Failure) -> [String] {
    guard customPolicies != CustomPolicy.directory else { return CustomPolicy.names }
    guard let names = CustomPolicy.names(in: customPolicies) else {
      let isMissing = errno == ENOENT || errno == ENOTDIR
      throw Failure(isMissing ? .notFound : .failed, systemError("cannot read directory \(printable(customPolicies))"))
    }
    return names
  }

  private func show(_ report: CheckReport, as file: String) {
    switch output {
    case .json: printOut(forTerminal(json(report, file)) + "\n")
    case .text:
      func line(_ problem: Problem, _ word: String) -> (Problem, String) {
        (problem, "\(file):\(problem.line):\(problem.column): \(word)\(problem.message)\n")
      }
      let lines = report.problems.map { line($0, "") } + report.warnings.map { line($0, "warning: ") }
      printError(lines.sorted { ($0.0.line, $0.0.column) < ($1.0.line, $1.0.column) }.map(\.1).joined())
      guard report.problems.isEmpty else { return }
      printOut(report.items.map { "\(file): \($0.description)\n" }.joined())
    }
  }

  private func json(_ report: CheckReport, _ file: String) -> JSON {
    func problems(_ problems: [Problem]) -> JSON {
      .array(
        problems.map {
          .object([
            ("file", .string(file)), ("line", .integer(Int64($0.line))), ("column", .integer(Int64($0.column))),
            ("message", .string($0.message)),
          ])
        })
    }
    func text(_ text: String?) -> JSON { text.map(JSON.string) ?? .null }
    let items = report.items.map { item in
      JSON.object([
        ("kind", .string(item.kind)), ("name", .string(item.name)), ("key", text(item.key)), ("place", text(item.place)),
        ("value", text(item.value)),
        ("victim", text(item.request?.victim.description)), ("kill", text(item.request?.kill.rawValue)),
        ("summary", .string(item.summary)),
      ])
    }
    return .object([
      ("items", .array(items)), ("problems", problems(report.problems)), ("warnings", problems(report.warnings)),
    ])
  }
}

enum CheckOutput: String, ExpressibleByArgument, CaseIterable {
  case text, json
}
