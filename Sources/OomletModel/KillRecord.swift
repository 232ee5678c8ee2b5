/// One decision of a policy, as the kernel told it. Sizes are in bytes.
public struct KillRecord: Equatable, Sendable {
  public enum Trigger: String, Sendable, CaseIterable { case limit, system, pressure }
  public enum Level: String, Sendable, CaseIterable { case container, pod, slice, system }
  public enum Outcome: String, Sendable, CaseIterable {
    case killed
    case dryRun = "dry-run"
    case stoodAside = "stood-aside"
    case failed
  }

  /// Off by at most 32 pages a CPU and kind: the kernel counts per CPU.
  public struct Memory: Equatable, Sendable {
    public var anon: UInt64
    public var file: UInt64
    public var shmem: UInt64
    public var swap: UInt64
    public var pageTables: UInt64
    public var rss: UInt64 { anon + file + shmem }

    public init(anon: UInt64 = 0, file: UInt64 = 0, shmem: UInt64 = 0, swap: UInt64 = 0, pageTables: UInt64 = 0) {
      (self.anon, self.file, self.shmem, self.swap, self.pageTables) = (anon, file, shmem, swap, pageTables)
    }
  }

  public struct Process: Equatable, Sendable {
    /// Thread group id in the initial PID namespace.
    public var pid: UInt32
    public var comm: String
    public var uid: UInt32
    public var oomScoreAdj: Int32
    /// When it was started, in ns since the epoch.
    public var startTime: Int64
    public var memory: Memory

    public init(pid: UInt32, comm: String, uid: UInt32, oomScoreAdj: Int32, startTime: Int64, memory: Memory) {
      (self.pid, self.comm, self.uid, self.oomScoreAdj) = (pid, comm, uid, oomScoreAdj)
      (self.startTime, self.memory) = (startTime, memory)
    }
  }

  public struct Container: Equatable, Sendable {
    public var id: String
    public var name: String
    public var pod: String
    public var namespace: String
    /// From the root of the cgroup v2 hierarchy.
    public var cgroup: String

    public init(id: String, name: String, pod: String, namespace: String, cgroup: String) {
      (self.id, self.name, self.pod, self.namespace, self.cgroup) = (id, name, pod, namespace, cgroup)
    }
  }

  /// When the decision began, in ns since the epoch.
  public var time: Int64
  /// The same, in ns since boot: orders the records of one boot, no two are equal.
  public var bootTime: UInt64
  /// The boot, as /proc/sys/kernel/random/boot_id has it.
  public var bootID: String
  public var trigger: Trigger
  public var level: Level
  public var policy: String
  public var outcome: Outcome
  /// The positive errno of a kill that failed, or 0.
  public var errorNumber: Int32
  public var container: Container
  public var limitCgroup: String
  public var victim: Process?
  public var runnerUp: Process?
  public var candidates: UInt32
  public var usage: UInt64
  /// nil: no limit there.
  public var limit: UInt64?
  /// From the call of the policy until the victim was known.
  public var decisionNanoseconds: UInt64

  public init(
    time: Int64, bootTime: UInt64, bootID: String, trigger: Trigger, level: Level, policy: String, outcome: Outcome,
    errorNumber: Int32, container: Container, limitCgroup: String, victim: Process?, runnerUp: Process?,
    candidates: UInt32, usage: UInt64, limit: UInt64?, decisionNanoseconds: UInt64
  ) {
    (self.time, self.bootTime, self.bootID) = (time, bootTime, bootID)
    (self.trigger, self.level, self.policy, self.outcome) = (trigger, level, policy, outcome)
    (self.errorNumber, self.container, self.limitCgroup) = (errorNumber, container, limitCgroup)
    (self.victim, self.runnerUp, self.candidates) = (victim, runnerUp, candidates)
    (self.usage, self.limit, self.decisionNanoseconds) = (usage, limit, decisionNanoseconds)
  }

  /// Unique on this machine: the boot and the time in it.
  public var id: String { "\(bootID.prefix(8))-\(String(bootTime, radix: 16))" }
}
