internal import COomletABI
internal import OomletModel

// The ABI's numbers for the model's words, one line each.

extension Victim {
  var raw: oomlet_victim {
    switch self {
    case .custom: OOMLET_VICTIM_CUSTOM
    case .rule(.kernel): OOMLET_VICTIM_KERNEL
    case .rule(.largestRSS): OOMLET_VICTIM_LARGEST_RSS
    case .rule(.largestMemory): OOMLET_VICTIM_LARGEST_MEMORY
    case .rule(.largestAnon): OOMLET_VICTIM_LARGEST_ANON
    case .rule(.largestShmem): OOMLET_VICTIM_LARGEST_SHMEM
    case .rule(.youngest): OOMLET_VICTIM_YOUNGEST
    case .rule(.oldest): OOMLET_VICTIM_OLDEST
    case .rule(.highestOOMScore): OOMLET_VICTIM_HIGHEST_OOM_SCORE
    }
  }
}

extension PressureRequest.Kind {
  var raw: oomlet_pressure {
    switch self {
    case .some: OOMLET_PRESSURE_SOME
    case .full: OOMLET_PRESSURE_FULL
    }
  }

  init?(_ raw: UInt32) {
    guard let match = PressureRequest.Kind.allCases.first(where: { $0.raw.rawValue == raw }) else { return nil }
    self = match
  }
}

extension KillScope {
  var raw: oomlet_kill {
    switch self {
    case .process: OOMLET_KILL_PROCESS
    case .container: OOMLET_KILL_CONTAINER
    case .pod: OOMLET_KILL_POD
    }
  }

  init?(_ raw: UInt32) {
    guard let match = KillScope.allCases.first(where: { $0.raw.rawValue == raw }) else { return nil }
    self = match
  }
}

extension OrderKey {
  var raw: oomlet_order {
    switch self {
    case .priority: OOMLET_ORDER_PRIORITY
    case .qos: OOMLET_ORDER_QOS
    case .overRequest: OOMLET_ORDER_OVER_REQUEST
    case .usage: OOMLET_ORDER_USAGE
    case .youngest: OOMLET_ORDER_YOUNGEST
    }
  }

  init?(_ raw: UInt32) {
    guard let match = OrderKey.allCases.first(where: { $0.raw.rawValue == raw }) else { return nil }
    self = match
  }
}

extension KillRecord.Comparison.Key {
  init?(_ raw: UInt32) {
    if raw == OOMLET_ORDER_PROTECT.rawValue {
      self = .protect
    } else if raw == OOMLET_ORDER_CAUSE.rawValue {
      self = .cause
    } else if let key = OrderKey(raw) {
      self = .order(key)
    } else {
      return nil
    }
  }
}

extension Optional where Wrapped == QoSClass {
  var raw: oomlet_qos {
    switch self {
    case nil: OOMLET_QOS_UNKNOWN
    case .bestEffort?: OOMLET_QOS_BEST_EFFORT
    case .burstable?: OOMLET_QOS_BURSTABLE
    case .guaranteed?: OOMLET_QOS_GUARANTEED
    }
  }
}

extension KillRecord.Trigger {
  init?(_ raw: UInt32) {
    switch raw {
    case OOMLET_TRIGGER_LIMIT.rawValue: self = .limit
    case OOMLET_TRIGGER_SYSTEM.rawValue: self = .system
    case OOMLET_TRIGGER_PRESSURE.rawValue: self = .pressure
    default: return nil
    }
  }
}

extension KillRecord.Level {
  init?(_ raw: UInt32) {
    switch raw {
    case OOMLET_LEVEL_CONTAINER.rawValue: self = .container
    case OOMLET_LEVEL_POD.rawValue: self = .pod
    case OOMLET_LEVEL_SLICE.rawValue: self = .slice
    case OOMLET_LEVEL_SYSTEM.rawValue: self = .system
    default: return nil
    }
  }
}

extension KillRecord.Outcome {
  init?(_ raw: UInt32) {
    switch raw {
    case OOMLET_OUTCOME_KILLED.rawValue: self = .killed
    case OOMLET_OUTCOME_DRY_RUN.rawValue: self = .dryRun
    case OOMLET_OUTCOME_STOOD_ASIDE.rawValue: self = .stoodAside
    case OOMLET_OUTCOME_FAILED.rawValue: self = .failed
    default: return nil
    }
  }
}

extension Tier {
  /// - Parameter raw: enum oomlet_tier.
  init?(_ raw: UInt32) {
    switch raw {
    case OOMLET_TIER_BPF_OOM.rawValue: self = .bpfOOM
    case OOMLET_TIER_TRACING.rawValue: self = .tracing
    default: return nil
    }
  }
}

extension KillRecord.Notes {
  init(flags: UInt32) {
    self.init()
    for (flag, note) in [
      (OOMLET_TRUNCATED, KillRecord.Notes.truncated), (OOMLET_ALL_PROTECTED, .allProtected), (OOMLET_ALL_SMALL, .allSmall),
      (OOMLET_GROUP_DRIFT, .groupDrift), (OOMLET_CUSTOM_MISSING, .customMissing), (OOMLET_NO_POLICY, .noPolicy),
      (OOMLET_MEMORY_AVAILABLE, .memoryAvailable), (OOMLET_CONTAINER_PROTECTED, .containerProtected),
      (OOMLET_POLICY_IS_DRY_RUN, .policyIsDryRun),
    ] where flags & flag.rawValue != 0 { insert(note) }
  }
}
