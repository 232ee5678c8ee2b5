/// Which process of a container dies. Raw values are the annotation's words.
public enum VictimRule: String, CaseIterable, Sendable {
  case largestRSS = "largest-rss"
  case largestMemory = "largest-memory"
  case largestAnon = "largest-anon"
  case largestShmem = "largest-shmem"
  case youngest
  case oldest
  case highestOOMScore = "highest-oom-score"
  case kernel

  /// For people: `The process … dies.`
  public var summary: String {
    switch self {
    case .largestRSS: "with the most resident memory: anonymous, file and shared"
    case .largestMemory: "with the most resident memory, swap and page tables: the kernel's own measure, without oom_score_adj"
    case .largestAnon: "with the most anonymous memory; shared memory does not count"
    case .largestShmem: "with the most shared memory (tmpfs, shared anonymous mappings) mapped"
    case .youngest: "that was started last"
    case .oldest: "that was started first"
    case .highestOOMScore: "with the highest /proc/PID/oom_score: size and oom_score_adj"
    case .kernel: "that the kernel chooses: the policy stands aside"
    }
  }
}

/// What decides within a container: a rule of oomlet's, or a policy of the node's own.
public enum Victim: Hashable, Sendable, CustomStringConvertible {
  case rule(VictimRule)
  case custom(PolicyName)

  public var description: String {
    switch self {
    case .rule(let rule): rule.rawValue
    case .custom(let name): name.description
    }
  }
}

/// What dies with the victim.
public enum KillScope: String, CaseIterable, Sendable {
  case process, container, pod

  public var summary: String {
    switch self {
    case .process: "that process alone"
    case .container: "all processes of its container"
    case .pod: "all processes of its pod; of its container where there is no pod"
    }
  }
}

/// By what the containers of a pod, a slice or the system are compared when the OOM is theirs together.
public enum OrderKey: String, CaseIterable, Sendable {
  case priority
  case qos
  case overRequest = "over-request"
  case usage
  case youngest

  /// For people: `The container … gives way.`
  public var summary: String {
    switch self {
    case .priority: "with the lowest priority"
    case .qos: "of the lower QoS class: BestEffort, then Burstable or unknown, then Guaranteed, then what is no container"
    case .overRequest: "furthest above its memory request"
    case .usage: "that uses the most memory"
    case .youngest: "whose cgroup was made last"
    }
  }
}

/// Kubernetes' quality of service of a pod.
public enum QoSClass: String, CaseIterable, Sendable {
  case bestEffort = "BestEffort"
  case burstable = "Burstable"
  case guaranteed = "Guaranteed"
}

/// Stall of a container's tasks for want of memory (PSI), and what it takes to call it an OOM.
public struct PressureRequest: Equatable, Sendable {
  public enum Kind: String, CaseIterable, Sendable { case some, full }

  public var kind: Kind
  /// Share of `window` that tasks stall, in thousandths: 1 … 1000.
  public var permille: UInt32
  /// In ns: the time the share is taken over.
  public var window: UInt64
  /// In ns: for how long it must hold.
  public var holdFor: UInt64
  /// In ns: how long to leave the container alone after a kill.
  public var cooldown: UInt64
  /// Of the system: only while less than this share of its RAM is available, in thousandths; 0: in any case.
  public var availablePermille: UInt32

  public init(kind: Kind, permille: UInt32, window: UInt64, holdFor: UInt64, cooldown: UInt64, availablePermille: UInt32 = 0) {
    (self.kind, self.permille, self.window) = (kind, permille, window)
    (self.holdFor, self.cooldown, self.availablePermille) = (holdFor, cooldown, availablePermille)
  }
}

/// What an annotation asks for, checked.
public struct PolicyRequest: Equatable, Sendable {
  public var victim: Victim
  public var kill: KillScope
  /// Spared while anything else is left.
  public var protect: [ProcessPattern]
  /// Chosen before all others.
  public var prefer: [ProcessPattern]
  /// In bytes: processes with less resident memory are spared while a larger one is left.
  public var minSize: UInt64
  public var dryRun: Bool
  /// How the containers of this pod are compared at the pod's OOM; nil: it does not say.
  public var order: [OrderKey]?
  /// The lower gives way first, where the level's order asks for priority.
  public var priority: Int32
  public var pressure: PressureRequest?
  /// What to do about stalls before they are called an OOM, in this order.
  public var relief: [ReliefStage]
  /// The container does not start if the policy can't be attached.
  public var require: Bool

  /// Of a pod whose containers do not say.
  public static let defaultOrder: [OrderKey] = [.usage]

  public init(
    victim: Victim = .rule(.largestMemory), kill: KillScope = .process, protect: [ProcessPattern] = [],
    prefer: [ProcessPattern] = [], minSize: UInt64 = 0, dryRun: Bool = false,
    order: [OrderKey]? = nil, priority: Int32 = 0, pressure: PressureRequest? = nil,
    relief: [ReliefStage] = [], require: Bool = false
  ) {
    (self.victim, self.kill, self.protect, self.prefer) = (victim, kill, protect, prefer)
    (self.minSize, self.dryRun, self.order, self.priority) = (minSize, dryRun, order, priority)
    (self.pressure, self.relief, self.require) = (pressure, relief, require)
  }
}
