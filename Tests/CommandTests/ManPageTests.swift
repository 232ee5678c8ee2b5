import Foundation
import OomletModel
import Testing

/// The man pages name what the programs take and end with, as their help does: all of it, and nothing else.
@Suite struct ManPageTests {
  private static let directory = URL(fileURLWithPath: #filePath).appending(path: "../../../docs/man").standardized

  private static let pages = (try? FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()) ?? []

  private static func page(_ name: String) throws -> String {
    try String(contentsOf: directory.appending(path: name), encoding: .utf8)
  }

  /// The page of a command's own, else oomlet(1).
  private static func page(of command: String) -> String { pages.first { $0.hasPrefix("oomlet-\(command).") } ?? "oomlet.1" }

  /// From its heading to the next.
  private static func section(_ heading: String, of page: String) throws -> String {
    try #require(page.components(separatedBy: "\n.Sh \(heading)\n").dropFirst().first).components(separatedBy: "\n.Sh ")[0]
  }

  private struct Option: Hashable {
    /// With its dashes.
    let name: String
    /// Its other name; nil: it has none.
    let short: String?
    /// Those that it may have, where they are few.
    let values: [String]

    /// As mdoc(7) has them: `Fl o , Fl -output`.
    var heading: String { (short.map { "Fl \($0.dropFirst()) , " } ?? "") + "Fl \(name.dropFirst())" }
  }

  private static func help(_ program: String, _ command: String? = nil) throws -> String {
    try run(program, (command.map { [$0] } ?? []) + ["--help"]).output
  }

  /// What the help lists, without itself and the version.
  private static func options(in help: String) -> Set<Option> {
    let entry = #/^ +(?:(-[a-z]), )?(--[a-z-]+)((?:.|\n(?! +-))*)/#.anchorsMatchLineEndings()
    return Set(
      help.matches(of: entry).map { match in
        let text = match.output.3.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        let values = text.firstMatch(of: #/\(values: ([^;)]*)/#)?.output.1.components(separatedBy: ", ") ?? []
        return Option(name: String(match.output.2), short: match.output.1.map(String.init), values: values)
      }
    ).filter { !["--help", "--version"].contains($0.name) }
  }

  private static func statuses(in help: String) throws -> Set<Int32> {
    let text = try #require(help.components(separatedBy: "Exit status:").last).components(separatedBy: "\n\n")[0]
    return Set(text.matches(of: #/\b(\d+)\b/#).compactMap { Int32($0.output.1) })
  }

  private static let commands =
    (try? run("oomlet", ["--help"]).output)?.components(separatedBy: "SUBCOMMANDS:").last?
    .matches(of: #/\n  ([a-z]+) /#).map { String($0.output.1) } ?? []

  // MARK: commands

  @Test func `oomlet(1) has each command, and no other`() throws {
    #expect(ManPageTests.commands.count > 8)
    let page = try ManPageTests.page("oomlet.1")
    let synopsis = try ManPageTests.section("SYNOPSIS", of: page).matches(of: #/\.Nm\n\.Cm ([a-z]+)\n/#).map {
      String($0.output.1)
    }
    #expect(synopsis.sorted() == ManPageTests.commands.sorted())
    let description = try ManPageTests.section("DESCRIPTION", of: page).matches(of: #/\.It Cm ([a-z]+)\n/#)
    #expect(description.map { String($0.output.1) }.sorted() == ManPageTests.commands.sorted())
  }

  // MARK: options

  /// The names and values of a synopsis: `.Op Fl o Cm table | json`.
  private func check(_ synopsis: String, _ options: Set<Option>, _ what: String) {
    let names = Set(synopsis.matches(of: #/Fl (-?[a-z-]+)/#).map { "-\($0.output.1)" })
    for option in options {
      let name = [option.name, option.short].compactMap { $0 }.first { names.contains($0) }
      #expect(name != nil, "\(what): the synopsis lacks \(option.name)")
      if let name, !option.values.isEmpty {
        let values = option.values.joined(separator: " | ")
        #expect(synopsis.contains("Fl \(name.dropFirst()) Cm \(values)\n"), "\(what) \(name) \(values)")
      }
    }
    let known = options.flatMap { [$0.name, $0.short].compactMap { $0 } } + ["--help", "--version", "-h"]
    #expect(names.subtracting(known).isEmpty, "\(what) has no such option")
  }

  @Test(arguments: commands) func `a synopsis has each option of its command, and no other`(_ command: String) throws {
    let options = ManPageTests.options(in: try ManPageTests.help("oomlet", command))
    let name = ManPageTests.page(of: command)
    let synopsis = try ManPageTests.section("SYNOPSIS", of: try ManPageTests.page(name)) + "\n"
    let own = synopsis.components(separatedBy: "\n.Nm\n.Cm \(command)\n").last?.components(separatedBy: "\n.Nm\n")[0]
    check(name == "oomlet.1" ? try #require(own) + "\n" : synopsis, options, command)
  }

  @Test func `so has the hook's`() throws {
    let options = ManPageTests.options(in: try ManPageTests.help("oomlet-hook"))
    #expect(options.map(\.name).sorted() == ["--stage", "--timeout"])
    check(try ManPageTests.section("SYNOPSIS", of: try ManPageTests.page("oomlet-hook.8")) + "\n", options, "oomlet-hook")
  }

  /// The items of section OPTIONS: the options of each by their long names, and its text.
  private func items(of page: String) throws -> [(names: [String], heading: String, text: String)] {
    guard page.contains("\n.Sh OPTIONS\n") else { return [] }
    return try ManPageTests.section("OPTIONS", of: page).components(separatedBy: "\n.It ").dropFirst().map { item in
      let lines = item.split(separator: "\n", maxSplits: 1)
      return (lines[0].matches(of: #/Fl (-[a-z-]+)/#).map { "-\($0.output.1)" }, String(lines[0]), String(lines.last ?? ""))
    }
  }

  @Test(arguments: pages.filter { $0 != "oom.policy.7" })
  func `section OPTIONS has each option, of which commands it is, and no other`(_ name: String) throws {
    var commands: [Option: [String]] = [:]
    if name == "oomlet-hook.8" {
      for option in ManPageTests.options(in: try ManPageTests.help("oomlet-hook")) { commands[option] = [] }
    } else {
      for command in ManPageTests.commands where ManPageTests.page(of: command) == name {
        for option in ManPageTests.options(in: try ManPageTests.help("oomlet", command)) {
          commands[option, default: []].append(command)
        }
      }
    }
    let items = try items(of: try ManPageTests.page(name))
    for (option, those) in commands {
      let item = try #require(items.first { $0.names.contains(option.name) }, "\(option.name)")
      #expect(item.heading.contains(option.heading), "\(item.heading)")
      if !option.values.isEmpty {
        #expect(item.heading.hasSuffix(" Cm \(option.values.joined(separator: " | "))"), "\(item.heading)")
      }
      guard name == "oomlet.1", option.name != "--output" else { continue }
      let named = item.text.prefix { $0 != ":" }.split { !$0.isLetter }.map(String.init).filter(ManPageTests.commands.contains)
      #expect(named == those, "\(option.name)")
    }
    let known = Set(commands.keys.map(\.name)).union(["--help", "--version"])
    #expect(Set(items.flatMap(\.names)).subtracting(known).isEmpty)
  }

  // MARK: the annotation

  @Test func `oom.policy(7) has each key and each word of the grammar`() throws {
    let section = try ManPageTests.section("OPTIONS", of: try ManPageTests.page("oom.policy.7"))
    let words = Set(
      section.matches(of: #/(?:^|\n)\.(?:It |Po )?(?:Ic|Cm) ([^\n]*)/#).flatMap {
        $0.output.1.split { !$0.isLetter && $0 != "-" }
      })
    let headings = section.matches(of: #/(?:^|\n)\.It Ic ([^\n]*)/#).flatMap {
      $0.output.1.split(separator: " , ").map(String.init)
    }
    let tables = try run("oomlet", ["check", "--grammar-tables"]).output.components(separatedBy: "<!-- table: ").dropFirst()
    for table in tables {
      let name = table.components(separatedBy: " -->")[0]
      let first = table.matches(of: #/\n\| `([^`]+)` \|/#).map { String($0.output.1) }
      if name == "keys" { #expect(headings.sorted() == first.sorted()) }
      // The others are the node configuration's
      guard ["pressure", "relief", "relief stages", "victims", "kill", "order"].contains(name) else { continue }
      for word in first { #expect(words.contains(Substring(word)), "\(name): \(word)") }
    }
  }

  // MARK: exit statuses

  @Test(arguments: [
    ("oomlet.1", "oomlet", nil), ("oomlet-check.1", "oomlet", "check"), ("oomlet-agent.8", "oomlet", "agent"),
    ("oomlet-hook.8", "oomlet-hook", nil),
  ])
  func `a page has each exit status that the help has, and no other`(_ name: String, _ program: String, _ command: String?) throws
  {
    let section = try ManPageTests.section("EXIT STATUS", of: try ManPageTests.page(name))
    let statuses = Set(section.matches(of: #/\.It (\d+)\n/#).compactMap { Int32($0.output.1) })
    #expect(statuses == (try ManPageTests.statuses(in: try ManPageTests.help(program, command))))
  }

  @Test func `oomlet's help has all exit statuses there are, that of a command some of them`() throws {
    let all = Set(ExitStatus.allCases.map(\.rawValue))
    #expect(try ManPageTests.statuses(in: try ManPageTests.help("oomlet")) == all)
    for command in ManPageTests.commands {
      let help = try ManPageTests.help("oomlet", command)
      if help.contains("Exit status:") { #expect(try ManPageTests.statuses(in: help).isSubset(of: all), "\(command)") }
    }
  }
}
