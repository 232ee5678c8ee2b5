internal import Glibc
internal import OomletBPF
internal import OomletJSON
internal import OomletJournal
internal import OomletModel
internal import OomletPolicy
internal import OomletSystem

/// Why an agent does less than it could: a closed set, for people and for metrics.
public enum Degradation: String, CaseIterable, Comparable, Sendable {
  /// The kernel has no BPF OOM policies.
  case kernel
  /// No BPF file system is mounted, where policies are pinned.
  case bpffs
  /// Slices and the node have no policy of oomlet's, because they have another or for want of something.
  case systemPolicy = "system-policy"
  /// The kernel lacks a part without which not all is decided.
  case tier
  /// The kernel does not measure pressure.
  case psi
  /// The kernel counts no memory by cgroup.
  case memoryController = "memory-controller"
  /// The kernel dies of an OOM, or kills whoever asked, before it asks a policy.
  case oomSysctl = "oom-sysctl"
  /// systemd-oomd kills for want of memory, too.
  case systemdOomd = "systemd-oomd"
  /// Another program does.
  case oomKiller = "oom-killer"
  /// The state of a runtime's containers can't be seen: they have what their hooks gave them.
  case runtimes
  /// A policy of the node's own doesn't load.
  case customPolicy = "custom-policy"
  /// The configuration's file is broken or could not be loaded: an earlier one is in force.
  case config
  /// Records can't be written, and wait in the kernel.
  case journal
  /// Metrics are not offered where the configuration wants them.
  case metrics
  /// A thread that carries out relief hangs for good.
  case relief
  /// Changes are seen later than they could be: the node's watches are used up, or patterns reach into too many directories.
  case watches
  /// Another version of oomlet has policies in force.
  case otherVersion = "other-version"
  /// The agent has more rights than it needs, or memory that can be taken from it.
  case privileges
  /// A system call was refused.
  case systemCall = "system-call"

  public static func < (a: Degradation, b: Degradation) -> Bool { a.rawValue < b.rawValue }
}

/// How an attempt to load the configuration went; times in ns since 1970.
public struct ReloadState: Equatable, Sendable {
  /// When what is in force was loaded.
  public internal(set) var loaded: Int64 = 0
  public internal(set) var successes = 0
  public internal(set) var failures = 0
  /// Of the last attempt: when it failed and why, with line and column. nil: it succeeded.
  public internal(set) var failure: (time: Int64, message: String)?

  public static func == (a: ReloadState, b: ReloadState) -> Bool {
    (a.loaded, a.successes, a.failures, a.failure?.time, a.failure?.message)
      == (b.loaded, b.successes, b.failures, b.failure?.time, b.failure?.message)
  }
}

/// What only the running agent knows of itself.
final class AgentState {
  let started = Int64(clockNanoseconds(CLOCK_REALTIME))
  var reload = ReloadState()
  private(set) var degraded: [Degradation: String] = [:]

  /// - Parameter message: what and what to do about it; nil: all is well.
  /// - Returns: whether that is news.
  @discardableResult
  func set(_ reason: Degradation, _ message: String?) -> Bool {
    guard degraded[reason] != message else { return false }
    degraded[reason] = message
    return true
  }

  /// - Parameter relief: the node's own, in force.
  func json(relief: [ReliefStage]) -> JSON {
    func time(_ nanoseconds: Int64) -> JSON { .string(timestamp(nanoseconds)) }
    let uptime = Int64(clockNanoseconds(CLOCK_REALTIME)) - started
    let config = JSON.object([
      ("path", .string(NodeConfig.path)), ("loaded", time(reload.loaded)), ("valid", .bool(reload.failure == nil)),
      ("error", reload.failure.map { .string($0.message) } ?? .null),
      ("failed", reload.failure.map { time($0.time) } ?? .null),
      ("successes", .integer(Int64(reload.successes))), ("failures", .integer(Int64(reload.failures))),
    ])
    let journal = JSON.object([
      ("path", .string(JournalWriter.defaultPath)), ("error", degraded[.journal].map(JSON.string) ?? .null),
    ])
    return .object([
      ("version", .string(oomletVersion)), ("pid", .integer(Int64(getpid()))), ("started", time(started)),
      ("uptime_seconds", .integer(max(0, uptime / 1_000_000_000))), ("config", config), ("journal", journal),
      ("system_relief", .array(relief.map { .string($0.summary) })),
      ("records_lost", State.recordsLost.map { .integer(Int64(clamping: $0)) } ?? .null),
      (
        "degraded",
        .array(
          degraded.sorted { $0.key < $1.key }.map {
            .object([("reason", .string($0.key.rawValue)), ("message", .string($0.value))])
          })
      ),
    ])
  }
}
