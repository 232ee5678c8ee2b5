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

  /// How a kill was done.
  public enum Means: String, Sendable, CaseIterable {
    /// By the kernel's OOM kill: counted in memory.events, and in its log.
    case oomKill = "oom-kill"
    /// By SIGKILL: the kernel counts no OOM kill, and runtimes report none.
    case signal
  }

  /// Off by at most 32 pages a CPU and kind: the kernel counts per CPU.
  public struct Memory: Equatable, Sendable {
    public var anon: UInt64
    public var file: UInt64
    public var shmem: UInt64
    public var swap: UInt64
    public var pageTables: UInt64
    /// Never traps: a damaged journal's numbers may be any.
    public var rss: UInt64 { anon &+ file &+ shmem }

    public init(anon: UInt64 = 0, file: UInt64 = 0, shmem: UInt64 = 0, swap: UInt64 = 0, pageTables: UInt64 = 0) {
      (self.anon, self.file, self.shmem, self.swap, self.pageTables) = (anon, file, shmem, swap, pageTables)
    }
  }

  /// How a process is seen by the policy, the first to be spared first; enum oomlet_class.
  public enum Class: String, CaseIterable, Sendable { case protected, small, plain, preferred }

  /// What is charged to the cgroup that ran out, by kind (memory.stat, cgroups(7)); whoever it belongs to.
  public struct Charged: Equatable, Sendable {
    public var anon: UInt64
    /// Files in memory, those of tmpfs and shared memory included.
    public var file: UInt64
    /// Of those, what processes have mapped.
    public var mapped: UInt64
    public var shmem: UInt64
    public var kernel: UInt64

    public init(anon: UInt64 = 0, file: UInt64 = 0, mapped: UInt64 = 0, shmem: UInt64 = 0, kernel: UInt64 = 0) {
      (self.anon, self.file, self.mapped, self.shmem, self.kernel) = (anon, file, mapped, shmem, kernel)
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
    public var usage: UInt64

    public init(id: String, name: String, pod: String, namespace: String, cgroup: String, usage: UInt64) {
      (self.id, self.name, self.pod, self.namespace) = (id, name, pod, namespace)
      (self.cgroup, self.usage) = (cgroup, usage)
    }
  }

  /// How the container was chosen among several.
  public struct Comparison: Equatable, Sendable {
    /// In what two containers can differ: the keys of an order, and before them whether the node's configuration protects one.
    public enum Key: Equatable, Sendable {
      case protect
      /// Under pressure: who causes it.
      case cause
      case order(OrderKey)
    }

    /// What was compared of one container.
    public struct Values: Equatable, Sendable {
      public var isProtected: Bool
      public var priority: Int32
      public var qos: QoS
      /// In bytes, above its memory request.
      public var overRequest: UInt64
      /// In bytes.
      public var usage: UInt64
      /// The cgroup's id: the higher, the younger.
      public var cgroupID: UInt64

      public init(
        isProtected: Bool = false, priority: Int32 = 0, qos: QoS = .burstableOrUnknown, overRequest: UInt64 = 0,
        usage: UInt64 = 0, cgroupID: UInt64 = 0
      ) {
        (self.isProtected, self.priority, self.qos) = (isProtected, priority, qos)
        (self.overRequest, self.usage, self.cgroupID) = (overRequest, usage, cgroupID)
      }
    }

    /// A QoS class as far as it is compared.
    public enum QoS: String, CaseIterable, Sendable {
      case noContainer = "no container"
      case guaranteed = "Guaranteed"
      case burstableOrUnknown = "Burstable or unknown"
      case bestEffort = "BestEffort"
    }

    /// How many containers with somebody to kill there were.
    public var containers: UInt32
    /// By what they were compared; after the last one by usage, then by age.
    public var order: [OrderKey]
    /// In what the chosen one differed from the next.
    public var decidedBy: Key
    public var chosen: Values
    /// The one that came second.
    public var next: Container
    public var nextValues: Values

    public init(
      containers: UInt32, order: [OrderKey], decidedBy: Key, chosen: Values, next: Container, nextValues: Values
    ) {
      (self.containers, self.order, self.decidedBy) = (containers, order, decidedBy)
      (self.chosen, self.next, self.nextValues) = (chosen, next, nextValues)
    }
  }

  /// The stall that was called an OOM.
  public struct Pressure: Equatable, Sendable {
    public var kind: PressureRequest.Kind
    /// Share of the time that tasks stalled, in thousandths, and the limit for it.
    public var permille: UInt32
    public var limitPermille: UInt32
    /// For how long it had been above the limit, in ns.
    public var held: UInt64

    public init(kind: PressureRequest.Kind, permille: UInt32, limitPermille: UInt32, held: UInt64) {
      (self.kind, self.permille, self.limitPermille, self.held) = (kind, permille, limitPermille, held)
    }
  }

  /// What a reader should know besides.
  public struct Notes: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    public static let truncated = Notes(rawValue: 1)
    public static let allProtected = Notes(rawValue: 2)
    public static let allSmall = Notes(rawValue: 4)
    public static let groupDrift = Notes(rawValue: 8)
    public static let customMissing = Notes(rawValue: 16)
    public static let noPolicy = Notes(rawValue: 32)
    public static let memoryAvailable = Notes(rawValue: 64)
    public static let containerProtected = Notes(rawValue: 128)
    public static let policyIsDryRun = Notes(rawValue: 256)

    /// Name and meaning of each.
    public static let all: [(note: Notes, name: String, meaning: String)] = [
      (.truncated, "truncated", "there were more processes than are looked at"),
      (.allProtected, "all-protected", "the victim is protected, but nothing else was left"),
      (.allSmall, "all-small", "the victim is below min-size, but nothing larger was left"),
      (.groupDrift, "group-drift", "memory.oom.group was not as oomlet had set it: more died than the policy says"),
      (.customMissing, "custom-missing", "the custom policy did not answer: the kernel's measure decided"),
      (.noPolicy, "no-policy", "the container has no policy: the kernel's measure decided"),
      (.memoryAvailable, "memory-available", "the system stalls, but has memory available: nobody dies for that"),
      (.containerProtected, "container-protected", "the node protects the container, but nothing else was left"),
      (
        .policyIsDryRun, "dry-run-policy",
        "the container's policy is a dry run, which does not count where the node decides: the kernel's measure decided"
      ),
    ]

    public var names: [String] { Notes.all.filter { contains($0.note) }.map(\.name) }

    public init(names: [String]) {
      self.init()
      for entry in Notes.all where names.contains(entry.name) { insert(entry.note) }
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
  /// What decided within the container; "none" if it has no policy.
  public var policy: String
  public var kill: KillScope
  public var outcome: Outcome
  /// The positive errno of a kill that failed, or 0.
  public var errorNumber: Int32
  public var notes: Notes
  public var container: Container
  /// nil: there was only one.
  public var comparison: Comparison?
  public var limitCgroup: String
  /// nil: the trigger is another one.
  public var pressure: Pressure?
  public var victim: Process?
  public var runnerUp: Process?
  public var candidates: UInt32
  /// Processes that were killed with the victim, by oomlet; those the kernel kills by memory.oom.group not counted.
  public var alsoKilled: UInt32
  public var usage: UInt64
  /// nil: no limit there.
  public var limit: UInt64?
  /// From the call of the policy until the victim was known.
  public var decisionNanoseconds: UInt64
  /// How the policy saw the victim and the runner-up.
  public var victimClass = Class.plain
  public var runnerUpClass = Class.plain
  /// nil: not told.
  public var charged: Charged?
  /// How often the same was decided again, and not put on record, since the last record of it.
  public var repeats: UInt32 = 0
  /// nil in records of before.
  public var tier: Tier?
  /// nil: nobody was killed, or the record is of before.
  public var killedBy: Means?

  public init(
    time: Int64, bootTime: UInt64, bootID: String, trigger: Trigger, level: Level, policy: String, kill: KillScope = .process,
    outcome: Outcome, errorNumber: Int32 = 0, notes: Notes = [], container: Container, comparison: Comparison? = nil,
    limitCgroup: String, pressure: Pressure? = nil, victim: Process?, runnerUp: Process?, candidates: UInt32,
    alsoKilled: UInt32 = 0, usage: UInt64, limit: UInt64?, decisionNanoseconds: UInt64
  ) {
    (self.time, self.bootTime, self.bootID) = (time, bootTime, bootID)
    (self.trigger, self.level, self.policy, self.kill, self.outcome) = (trigger, level, policy, kill, outcome)
    (self.errorNumber, self.notes, self.container, self.comparison) = (errorNumber, notes, container, comparison)
    (self.limitCgroup, self.pressure, self.victim, self.runnerUp) = (limitCgroup, pressure, victim, runnerUp)
    (self.candidates, self.alsoKilled, self.usage, self.limit) = (candidates, alsoKilled, usage, limit)
    self.decisionNanoseconds = decisionNanoseconds
  }

  /// Unique on this machine: the boot and the time in it.
  public var id: String { "\(bootID.prefix(8))-\(String(bootTime, radix: 16))" }
}
