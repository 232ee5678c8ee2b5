import Foundation
import OomletModel
import Testing

/// Runs a program of this build with its stdin empty.
private func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String, errors: String) {
  let directory = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
  let process = Process()
  let (output, errors) = (Pipe(), Pipe())
  process.executableURL = directory.appending(path: program)
  process.arguments = arguments
  process.standardInput = FileHandle.nullDevice
  (process.standardOutput, process.standardError) = (output, errors)
  try process.run()
  let texts = [output, errors].map { String(decoding: $0.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self) }
  process.waitUntilExit()
  return (process.terminationStatus, texts[0], texts[1])
}

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
