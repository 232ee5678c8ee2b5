/// One of the things to do about a stall before it is called an OOM.
public struct ReliefStage: Equatable, Sendable {
  /// Raw values are the configuration's words.
  public enum Kind: String, CaseIterable, Sendable {
    case reclaim, delete, signal

    /// For people.
    public var summary: String {
      switch self {
      case .reclaim: "the kernel reclaims memory of the container: memory.reclaim"
      case .delete: "files in the container's own tmpfs mounts are deleted, the oldest first, until enough is free"
      case .signal: "a process of the container gets a signal, and time to follow it"
      }
    }
  }

  public enum Action: Equatable, Sendable {
    /// So many bytes.
    case reclaim(UInt64)
    /// Files as the container sees them, until so many bytes are free.
    case delete([PathGlob], UInt64)
    case signal(ReliefSignal, ReliefTarget)

    public var kind: Kind {
      switch self {
      case .reclaim: .reclaim
      case .delete: .delete
      case .signal: .signal
      }
    }
  }

  /// More of them would not be through before the OOM.
  public static let limit = 8

  public var action: Action
  /// The share of the time that tasks stall, in thousandths, from which on: of the same kind and window as the pressure's limit.
  public var permille: UInt32
  /// In ns: when to give it up. Of a signal: how long the process has.
  public var deadline: UInt64

  public init(_ action: Action, from permille: UInt32, deadline: UInt64) {
    (self.action, self.permille, self.deadline) = (action, permille, deadline)
  }
}

/// Signals that ask for something, see signal(7).
public enum ReliefSignal: String, CaseIterable, Sendable {
  case hup = "SIGHUP"
  case int = "SIGINT"
  case quit = "SIGQUIT"
  case usr1 = "SIGUSR1"
  case usr2 = "SIGUSR2"
  case term = "SIGTERM"
}

/// Which process gets a signal.
public enum ReliefTarget: String, CaseIterable, Sendable {
  /// The one that would die now.
  case victim
  /// The container's first.
  case `init`
}

extension ReliefStage {
  /// `reclaim 64Mi at 10% within 5s`
  public var summary: String {
    let what =
      switch action {
      case .reclaim(let bytes): "reclaim \(binarySize(bytes))"
      case .delete(let files, let bytes):
        "delete \(binarySize(bytes)) of \(files.map { printable($0.description) }.joined(separator: " "))"
      case .signal(let signal, let target): "\(signal.rawValue) to \(target.rawValue)"
      }
    return "\(what) at \(percentage(permille)) within \(seconds(deadline))"
  }
}

/// What a stage has come to.
public struct ReliefRecord: Sendable {
  public enum Outcome: String, CaseIterable, Sendable {
    /// It did what was asked for.
    case done
    /// Less than that: there was no more, or no more time.
    case partly
    /// There was nothing to free, or nobody to tell.
    case nothing
    /// Nobody was told and nothing freed, as the policy is a dry run.
    case dryRun = "dry-run"
    case failed
  }

  /// In ns since the epoch.
  public var time: Int64
  public var container: KillRecord.Container
  /// Whether it is the node that stalled, and this container was held to be the cause.
  public var isForNode: Bool
  public var stage: ReliefStage
  /// The number of the stage, from 1.
  public var number: Int
  /// Share of the time that tasks stalled when it began, in thousandths.
  public var permille: UInt32
  public var kind: PressureRequest.Kind
  public var outcome: Outcome
  /// In bytes, at least.
  public var freed: UInt64
  /// Files deleted.
  public var files: Int
  /// Who was told.
  public var process: (pid: Int32, comm: String)?
  /// In ns.
  public var duration: UInt64
  /// What went wrong, or was found missing; empty: nothing.
  public var message: String

  public init(
    time: Int64, container: KillRecord.Container, isForNode: Bool, stage: ReliefStage, number: Int, permille: UInt32,
    kind: PressureRequest.Kind, outcome: Outcome, freed: UInt64 = 0, files: Int = 0,
    process: (pid: Int32, comm: String)? = nil, duration: UInt64 = 0, message: String = ""
  ) {
    (self.time, self.container, self.isForNode, self.stage, self.number) = (time, container, isForNode, stage, number)
    (self.permille, self.kind, self.outcome, self.freed, self.files) = (permille, kind, outcome, freed, files)
    (self.process, self.duration, self.message) = (process, duration, message)
  }

  /// The record as one sentence.
  public var sentence: String {
    let scope = isForNode ? "the node" : "container \(container.label)"
    let whose = isForNode ? " of container \(container.label)" : ""
    let stall =
      "\(kind == .full ? "all" : "some") tasks of \(scope) stalled \(percentage(permille)) of the time for want of memory"
    let tail = message.isEmpty ? "" : ": \(message)"
    return "\(stall); relief \(number), \(stage.action.kind.rawValue)\(whose): \(result)\(tail)."
  }

  private var result: String {
    switch outcome {
    case .dryRun: return "dry run, \(stage.summary)"
    case .nothing: return "nothing to do"
    case .failed: return "failed"
    case .done, .partly: break
    }
    let part = outcome == .partly ? ", less than asked for" : ""
    switch stage.action {
    case .reclaim: return "\(binarySize(freed)) reclaimed\(part)"
    case .delete: return "\(files) file\(files == 1 ? "" : "s") deleted, \(binarySize(freed)) freed\(part)"
    case .signal(let signal, _):
      let who = process.map { "\(printable($0.comm)) (pid \($0.pid))" } ?? "nobody"
      return
        "\(signal.rawValue) to \(who), \(outcome == .done ? "who has ended, \(binarySize(freed)) freed" : "who has not ended in time")"
    }
  }
}
