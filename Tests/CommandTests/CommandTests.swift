import OomletModel
import Testing

/// What needs no kernel; the rest is in Tests/Scenarios.
@Suite struct CommandTests {
  @Test(arguments: ["oomlet", "oomlet-hook"])
  func `help and version go to stdout`(_ program: String) throws {
    let help = try run(program, ["--help"])
    #expect(help.status == 0 && help.errors.isEmpty && help.output.lowercased().contains("usage: \(program)"))
    #expect(help.output.contains("Exit status"))
    let version = try run(program, ["--version"])
    #expect(version.status == 0 && version.output.hasSuffix("\(oomletVersion)\n"))
  }

  @Test func `the hook's help names the policies`() throws {
    let help = try run("oomlet-hook", ["--help"]).output
    #expect(help.contains("largest-rss") && help.contains("youngest"))
  }

  @Test(arguments: [["kill"], ["kills", "-o", "xml"], ["kills", "--folow"], ["status", "extra"]])
  func `wrong usage is exit status 2, said on stderr`(_ arguments: [String]) throws {
    let result = try run("oomlet", arguments)
    #expect(result.status == 2 && result.output.isEmpty && result.errors.contains("rror"), "\(result)")
  }
}
