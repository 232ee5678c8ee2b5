internal import CLinux
internal import Glibc
internal import OomletSystem

/// The signals that the agent takes, as a descriptor.
struct AgentSignals: ~Copyable {
  private let fd: OwnedFD

  enum Order { case reload, stop }

  init() {
    var signals: [CInt] = [SIGTERM, SIGINT, SIGHUP]
    fd = OwnedFD(clinux_signalfd(&signals, CInt(signals.count)))
    signal(SIGPIPE, SIG_IGN)
    // A limit of files' size is an error of that write alone
    signal(SIGXFSZ, SIG_IGN)
  }

  var pollDescriptor: CInt { fd.raw }

  /// The next that has come, or nil.
  func next() -> Order? {
    switch clinux_next_signal(fd.raw) {
    case 0: nil
    case SIGHUP: .reload
    default: .stop
    }
  }
}
