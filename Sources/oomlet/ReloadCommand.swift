import ArgumentParser
import OomletAgent
import OomletModel
import OomletSystem

struct ReloadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reload",
    abstract: "Have the agent load its configuration again.",
    discussion: """
      Also policies that are new in /etc/oomlet/policies. The agent does so by itself when the files change, and at SIGHUP. \
      A file that is broken changes nothing.

      Exit status: 0 loaded, 1 failed, 3 the file is broken, 6 not permitted, 7 no agent is running.
      """)

  func run() throws {
    guard let status = try AgentClient.reload() else { throw Failure(.notFound, "no agent is running") }
    try printOut("configuration loaded\n")
    for reason in status["degraded"]?.array ?? [] {
      printError("oomlet: warning: \(printable(reason["message"]?.string ?? "", limit: 2000))\n")
    }
  }
}
