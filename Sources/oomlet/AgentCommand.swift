import ArgumentParser
import Logging
import OomletAgent

struct AgentCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "agent",
    abstract: "Run the node agent.",
    discussion: """
      Loads the policies, and takes the record of each kill from the kernel to the journal, \
      /var/lib/oomlet/kills.jsonl. Policies work without it; records wait in the kernel. Offers metrics to \
      Prometheus, at http://127.0.0.1:9644/metrics unless /etc/oomlet/config.yaml says otherwise; that is loaded \
      again when it changes and at SIGHUP. Runs in the foreground, logs to stderr, ends at SIGTERM.

      Exit status: 0 ended by a signal, 1 failed or another one is running, 2 usage, 3 the configuration is broken, \
      6 not permitted.
      """)

  func run() throws {
    LoggingSystem.bootstrap { StreamLogHandler(label: $0, stream: LogLines()) }
    try Agent(logger: Logger(label: "oomlet")).run()
  }
}
