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
      time: epoch + Int64(raw.boottime_ns), bootTime: raw.boottime_ns, bootID: bootID, trigger: trigger, level: level,
      policy: notes.contains(.noPolicy) ? "none" : text(raw.policy), kill: KillScope(raw.kill) ?? .process, outcome: outcome,
      errorNumber: -raw.error, notes: notes,
      container: Container(
        id: text(raw.container.id), name: text(raw.container.name), pod: text(raw.container.pod),
        namespace: text(raw.container.pod_namespace), cgroup: text(raw.container_cgroup), usage: raw.container_usage_bytes),
      comparison: OrderKey(raw.decided_by).map {
        Comparison(
          containers: raw.containers, decidedBy: $0, nextCgroup: text(raw.next_cgroup), nextUsage: raw.next_usage_bytes)
      },
      limitCgroup: text(raw.limit_cgroup), pressure: Pressure(raw), victim: Process(raw.victim, epoch: epoch),
      runnerUp: Process(raw.runner_up, epoch: epoch), candidates: raw.candidates, alsoKilled: raw.also_killed,
      usage: raw.usage_bytes, limit: raw.limit_bytes == .max ? nil : raw.limit_bytes, decisionNanoseconds: raw.decision_ns)
  }
}

extension KillRecord.Pressure {
  init?(_ raw: oomlet_record) {
    guard let kind = PressureRequest.Kind(raw.pressure) else { return nil }
    self.init(
      kind: kind, permille: raw.pressure_permille, limitPermille: raw.pressure_limit_permille, held: raw.pressure_held_ns)
  }
}

extension KillRecord.Process {
  init?(_ raw: oomlet_process, epoch: Int64) {
    guard raw.tgid != 0 else { return nil }
    self.init(
      pid: raw.tgid, comm: text(raw.comm), uid: raw.uid, oomScoreAdj: raw.oom_score_adj,
      startTime: epoch + Int64(raw.start_boottime_ns),
      memory: KillRecord.Memory(
        anon: raw.memory.anon_bytes, file: raw.memory.file_bytes, shmem: raw.memory.shmem_bytes,
        swap: raw.memory.swap_bytes, pageTables: raw.memory.pgtables_bytes))
  }
}

/// Bytes up to the first NUL; what is no UTF-8 becomes U+FFFD.
func text<Field>(_ field: Field) -> String {
  withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
