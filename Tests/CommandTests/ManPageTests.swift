import Foundation
import Testing

/// The man pages name what the programs take, as their help does.
@Suite struct ManPageTests {
  private static let directory = URL(fileURLWithPath: #filePath).appending(path: "../../../docs/man").standardized

  private static func page(_ name: String) -> String? {
    try? String(contentsOf: directory.appending(path: name), encoding: .utf8)
  }

  private static func options(in help: String) -> Set<String> {
    Set(help.matches(of: #/(?:^|[\s,\[])(--[a-z-]+)/#.anchorsMatchLineEndings()).map { String($0.output.1) })
  }

  private static let commands =
    (try? run("oomlet", ["--help"]).output)?.components(separatedBy: "SUBCOMMANDS:").last?
    .matches(of: #/\n  ([a-z]+) /#).map { String($0.output.1) } ?? []

  @Test func `there are commands`() { #expect(ManPageTests.commands.count > 8) }

  @Test(arguments: commands) func `a command and its options are in oomlet(1) or in a page of its own`(_ command: String) throws {
    let general = try #require(ManPageTests.page("oomlet.1"))
    #expect(general.contains("\n.Nm\n.Cm \(command)\n") && general.contains("\n.It Cm \(command)\n"))
    let own = ["1", "8"].lazy.compactMap { ManPageTests.page("oomlet-\(command).\($0)") }.first ?? general
    for option in ManPageTests.options(in: try run("oomlet", [command, "--help"]).output).subtracting(["--help", "--version"]) {
      #expect(own.contains("Fl \(option.dropFirst())"), "\(command) \(option)")
    }
  }

  @Test func `the hook's options are in its page`() throws {
    let page = try #require(ManPageTests.page("oomlet-hook.8"))
    for option in ManPageTests.options(in: try run("oomlet-hook", ["--help"]).output) {
      #expect(page.contains("Fl \(option.dropFirst())"), "\(option)")
    }
  }

  @Test func `no page has an option that is none`() throws {
    let all =
      try ManPageTests.commands.map { [$0, "--help"] }.map { try run("oomlet", $0).output } + [
        run("oomlet-hook", ["--help"]).output
      ]
    let options = all.reduce(into: Set<String>()) { $0.formUnion(ManPageTests.options(in: $1)) }
    for name in try FileManager.default.contentsOfDirectory(atPath: ManPageTests.directory.path) {
      for option in try #require(ManPageTests.page(name)).matches(of: #/Fl -([a-z-]+)/#).map({ "--\($0.output.1)" }) {
        #expect(options.contains(option), "\(name): \(option)")
      }
    }
  }
}
