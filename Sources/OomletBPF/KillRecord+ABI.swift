internal import COomletABI
internal import Glibc
internal import OomletModel
internal import OomletSystem

extension KillRecord {
  /// nil: of another version, or no record.
  init?(_ raw: oomlet_record, bootID: String) {
    guard raw.abi_version == OOMLET_ABI_VERSION, let trigger = Trigger(raw.trigger), let level = Level(raw.level),
      let outcome = Outcome(raw.outcome)
    else { return nil }
    let epoch = Int64(clockNanoseconds(CLOCK_REALTIME)) - Int64(clockNanoseconds(CLOCK_BOOTTIME))
    let notes = Notes(flags: raw.flags)
    self.init(
      time: epoch &+ Int64(truncatingIfNeeded: raw.boottime_ns), bootTime: raw.boottime_ns, bootID: bootID, trigger: trigger,
      level: level,
      policy: notes.contains(.noPolicy) ? "none" : text(raw.policy), kill: KillScope(raw.kill) ?? .process, outcome: outcome,
      errorNumber: 0 &- raw.error, notes: notes,
      container: Container(
        id: text(raw.container.id), name: text(raw.container.name), pod: text(raw.container.pod),
        namespace: text(raw.container.pod_namespace), cgroup: text(raw.container_cgroup), usage: raw.container_usage_bytes),
      comparison: Comparison.Key(raw.decided_by).map {
        Comparison(
          containers: raw.containers, order: orderKeys(raw.order), decidedBy: $0,
          chosen: Comparison.Values(keys: raw.container_keys),
          next: Container(
            id: text(raw.next.id), name: text(raw.next.name), pod: text(raw.next.pod), namespace: text(raw.next.pod_namespace),
            cgroup: text(raw.next_cgroup), usage: raw.next_usage_bytes),
          nextValues: Comparison.Values(keys: raw.next_keys))
      },
      limitCgroup: text(raw.limit_cgroup), pressure: Pressure(raw), victim: Process(raw.victim, epoch: epoch),
      runnerUp: Process(raw.runner_up, epoch: epoch), candidates: raw.candidates, alsoKilled: raw.also_killed,
      usage: raw.usage_bytes, limit: raw.limit_bytes == .max ? nil : raw.limit_bytes, decisionNanoseconds: raw.decision_ns)
    victimClass = Class(raw: UInt64(raw.victim_class)) ?? .plain
    runnerUpClass = Class(raw: UInt64(raw.runner_up_class)) ?? .plain
    let charged = Charged(
      anon: raw.charged_anon_bytes, file: raw.charged_file_bytes, mapped: raw.charged_mapped_bytes,
      shmem: raw.charged_shmem_bytes, kernel: raw.charged_kernel_bytes)
    // Nothing of what is full: the kernel has not summed it up yet, or does not tell
    self.charged = charged == Charged() ? nil : charged
    repeats = raw.repeats
    tier = Tier(raw.tier)
    if outcome == .killed { killedBy = raw.flags & OOMLET_BY_SIGNAL.rawValue == 0 ? .oomKill : .signal }
  }
}

extension KillRecord.Class {
  /// - Parameter raw: enum oomlet_class.
  init?(raw: UInt64) {
    switch raw {
    case UInt64(OOMLET_CLASS_PROTECTED.rawValue): self = .protected
    case UInt64(OOMLET_CLASS_SMALL.rawValue): self = .small
    case UInt64(OOMLET_CLASS_PLAIN.rawValue): self = .plain
    case UInt64(OOMLET_CLASS_PREFERRED.rawValue): self = .preferred
    default: return nil
    }
  }
}

extension KillRecord.Pressure {
  init?(_ raw: oomlet_record) {
    guard let kind = PressureRequest.Kind(raw.pressure) else { return nil }
    self.init(
      kind: kind, permille: raw.pressure_permille, limitPermille: raw.pressure_limit_permille, held: raw.pressure_held_ns)
  }
}

extension KillRecord.Comparison.Values {
  /// - Parameter raw: by `enum oomlet_order`.
  init<Keys>(keys raw: Keys) {
    let keys = withUnsafeBytes(of: raw) { Array($0.bindMemory(to: UInt64.self)) }
    func key(_ order: oomlet_order) -> UInt64 { keys[Int(order.rawValue)] }
    self.init(
      isProtected: key(OOMLET_ORDER_PROTECT) == 0,
      priority: Int32(clamping: Int64(Int32.max) &- Int64(truncatingIfNeeded: key(OOMLET_ORDER_PRIORITY))),
      qos: KillRecord.Comparison.QoS.allCases[Int(min(key(OOMLET_ORDER_QOS), 3))],
      overRequest: key(OOMLET_ORDER_OVER_REQUEST), usage: key(OOMLET_ORDER_USAGE), cgroupID: key(OOMLET_ORDER_YOUNGEST))
  }
}

extension KillRecord.Process {
  init?(_ raw: oomlet_process, epoch: Int64) {
    guard raw.tgid != 0 else { return nil }
    self.init(
      pid: raw.tgid, comm: text(raw.comm), uid: raw.uid, oomScoreAdj: raw.oom_score_adj,
      startTime: epoch &+ Int64(truncatingIfNeeded: raw.start_boottime_ns),
      memory: KillRecord.Memory(
        anon: raw.memory.anon_bytes, file: raw.memory.file_bytes, shmem: raw.memory.shmem_bytes,
        swap: raw.memory.swap_bytes, pageTables: raw.memory.pgtables_bytes))
  }
}

/// Bytes up to the first NUL; what is no UTF-8 becomes U+FFFD.
func text<Field>(_ field: Field) -> String {
  withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
