import Foundation
import Testing

/// What nobody gets is no success.
@Suite struct OutputTests {
  private static let commands =
    [
      ["--help"], ["--version"], ["help"], ["help", "kills"], ["--generate-completion-script", "bash"],
      ["--experimental-dump-help"],
      ["check", "--grammar-tables"], ["kills", "--follow"], ["kills", "-f", "--last", "1"], ["doctor"], ["doctor", "-o", "json"],
    ]
    + ["agent", "kills", "status", "pressure", "relief", "explain", "check", "doctor", "reload", "cleanup"].map {
      [$0, "--help"]
    }

  @Test(arguments: commands) func `a full stdout is exit status 1, and said`(_ arguments: [String]) throws {
    let result = try run("oomlet", arguments, output: "/dev/full")
    #expect(result.status == 1 && result.errors.contains("cannot write to stdout: No space left on device"), "\(result)")
  }

  @Test(arguments: [["check", "-"], ["check", "-", "-o", "json"]]) func `also of what is right`(_ arguments: [String]) throws {
    let result = try run("oomlet", arguments, input: Array("oom.policy: youngest\n".utf8), output: "/dev/full")
    #expect(result.status == 1 && result.errors.contains("cannot write to stdout"), "\(result)")
  }

  @Test(arguments: ["--help", "--version"]) func `so it is with the hook`(_ argument: String) throws {
    let result = try run("oomlet-hook", [argument], output: "/dev/full")
    #expect(result.status == 1 && result.errors.contains("cannot write to stdout"), "\(result)")
  }

  private func shell(_ script: String, _ program: String) throws -> (status: Int32, errors: String) {
    let path = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: program).path
    let process = Process()
    let errors = Pipe()
    process.executableURL = URL(filePath: "/bin/bash")
    process.arguments = ["-c", script, path]
    process.standardError = errors
    try process.run()
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, text)
  }

  @Test func `a closed stdout is an error, too, and nothing else is written to in its place`() throws {
    let result = try shell(#"echo '"youngest"' | "$0" check - >&-"#, "oomlet")
    #expect(result.status == 1 && result.errors.contains("cannot write to stdout: Bad file descriptor"), "\(result)")
  }

  @Test func `a hook whose stderr nobody reads ends by its own exit status`() throws {
    let closed = try shell(#"exec 3>&2; (sleep 0.2; "$0" --bogus 2>&1 </dev/null; echo "$?" >&3) | true"#, "oomlet-hook")
    #expect(closed.errors == "2\n", "\(closed)")
  }
}
