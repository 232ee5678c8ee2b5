import ArgumentParser
import OomletModel
import OomletSystem

@main
struct Oomlet: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "oomlet",
    abstract: "OOM policies for containers, decided in the kernel.",
    discussion: """
      A container says what is to die when it runs out of memory with the annotation "oom.policy"; \
      oomlet-hook attaches that policy to its memory cgroup. This program is the node's agent and shows \
      what is attached and what was killed.

      Exit status: 0 done, 1 failed (also to write to stdout), 2 usage, 3 invalid input, 4 the kernel or node can't, 5 another policy is \
      there, 6 not permitted, 7 not found, 124 no answer in time.
      """,
    version: oomletVersion,
    subcommands: [
      AgentCommand.self, KillsCommand.self, StatusCommand.self, PressureCommand.self, ReliefCommand.self, ExplainCommand.self,
      CheckCommand.self, DoctorCommand.self, ReloadCommand.self, CleanupCommand.self,
    ])

  static func main() {
    keepStandardDescriptors()
    do {
      do {
        var command = try parseAsRoot()
        try command.run()
      } catch  where exitCode(for: error) == .success {
        try writeOut(fullMessage(for: error) + "\n")
      }
    } catch let failure as Failure {
      printError("oomlet: \(failure)\n")
      exit(withError: ExitCode(failure.status.rawValue))
    } catch {
      let code = exitCode(for: error)
      guard code == .validationFailure else { exit(withError: error) }
      printError(fullMessage(for: error) + "\n")
      exit(withError: ExitCode(ExitStatus.usage.rawValue))
    }
  }
}

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  case table, json
}
