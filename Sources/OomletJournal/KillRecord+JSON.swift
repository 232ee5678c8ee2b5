public import OomletJSON
public import OomletModel

extension KillRecord {
  /// The record as the journal and `oomlet kills -o json` have it; the names are a promise.
  public var json: JSON {
    let decision: [(key: String, value: JSON)] = [
      ("time", .string(timestamp(time))), ("id", .string(id)), ("trigger", .string(trigger.rawValue)),
      ("level", .string(level.rawValue)), ("policy", .string(policy)), ("kill", .string(kill.rawValue)),
      ("outcome", .string(outcome.rawValue)), ("errno", .integer(Int64(errorNumber))), ("container", container.json),
      ("compared", comparison?.json ?? .null), ("limit_cgroup", .string(limitCgroup)), ("pressure", pressure?.json ?? .null),
      ("victim", victim?.json ?? .null), ("runner_up", runnerUp?.json ?? .null), ("candidates", .integer(Int64(candidates))),
      ("also_killed", .integer(Int64(alsoKilled))), ("truncated", .bool(notes.contains(.truncated))),
      ("notes", .array(notes.names.map(JSON.string))), ("usage_bytes", size(usage)), ("limit_bytes", limit.map(size) ?? .null),
    ]
    let circumstances: [(key: String, value: JSON)] = [
      ("decision_ns", size(decisionNanoseconds)), ("victim_class", .string(victimClass.rawValue)),
      ("runner_up_class", .string(runnerUpClass.rawValue)), ("charged", charged?.json ?? .null),
      ("repeats", .integer(Int64(repeats))), ("killed_by", killedBy.map { .string($0.rawValue) } ?? .null),
      ("tier", tier.map { .string($0.rawValue) } ?? .null),
      ("why", .string(why)), ("sentence", .string(sentence)),
      ("boot_id", .string(bootID)), ("boottime_ns", size(bootTime)),
    ]
    return .object(decision + circumstances)
  }

  /// nil if it is no record.
  public init?(json: JSON) {
    guard let time = json["time"]?.string.flatMap(nanoseconds(fromTimestamp:)), let bootID = json["boot_id"]?.string,
      let bootTime = json["boottime_ns"]?.unsigned, let trigger = json["trigger"]?.string.flatMap(Trigger.init(rawValue:)),
      let level = json["level"]?.string.flatMap(Level.init(rawValue:)), let policy = json["policy"]?.string,
      let outcome = json["outcome"]?.string.flatMap(Outcome.init(rawValue:)), let container = json["container"]
    else { return nil }
    self.init(
      time: time, bootTime: bootTime, bootID: bootID, trigger: trigger, level: level, policy: policy,
      kill: json["kill"]?.string.flatMap(KillScope.init(rawValue:)) ?? .process, outcome: outcome,
      errorNumber: Int32(clamping: json["errno"]?.integer ?? 0),
      notes: Notes(names: json["notes"]?.array?.compactMap(\.string) ?? []), container: Container(json: container),
      comparison: json["compared"].flatMap(Comparison.init(json:)), limitCgroup: json["limit_cgroup"]?.string ?? "",
      pressure: json["pressure"].flatMap(Pressure.init(json:)),
      victim: json["victim"].flatMap(Process.init(json:)), runnerUp: json["runner_up"].flatMap(Process.init(json:)),
      candidates: UInt32(clamping: json["candidates"]?.integer ?? 0),
      alsoKilled: UInt32(clamping: json["also_killed"]?.integer ?? 0), usage: json["usage_bytes"]?.unsigned ?? 0,
      limit: json["limit_bytes"]?.unsigned, decisionNanoseconds: json["decision_ns"]?.unsigned ?? 0)
    victimClass = json["victim_class"]?.string.flatMap(Class.init(rawValue:)) ?? .plain
    runnerUpClass = json["runner_up_class"]?.string.flatMap(Class.init(rawValue:)) ?? .plain
    charged = json["charged"].flatMap(Charged.init(json:))
    repeats = UInt32(clamping: json["repeats"]?.integer ?? 0)
    killedBy = json["killed_by"]?.string.flatMap(Means.init(rawValue:))
    tier = json["tier"]?.string.flatMap(Tier.init(rawValue:))
  }
}

extension KillRecord.Charged {
  var json: JSON {
    .object([
      ("anon_bytes", size(anon)), ("file_bytes", size(file)), ("file_mapped_bytes", size(mapped)), ("shmem_bytes", size(shmem)),
      ("kernel_bytes", size(kernel)),
    ])
  }

  init?(json: JSON) {
    guard json.members != nil else { return nil }
    self.init(
      anon: json["anon_bytes"]?.unsigned ?? 0, file: json["file_bytes"]?.unsigned ?? 0,
      mapped: json["file_mapped_bytes"]?.unsigned ?? 0, shmem: json["shmem_bytes"]?.unsigned ?? 0,
      kernel: json["kernel_bytes"]?.unsigned ?? 0)
  }
}

extension KillRecord.Container {
  var json: JSON {
    .object([
      ("id", .string(id)), ("name", .string(name)), ("pod", .string(pod)), ("namespace", .string(namespace)),
      ("cgroup", .string(cgroup)), ("usage_bytes", size(usage)),
    ])
  }

  /// What is missing is empty.
  public init(json: JSON) {
    self.init(
      id: json["id"]?.string ?? "", name: json["name"]?.string ?? "", pod: json["pod"]?.string ?? "",
      namespace: json["namespace"]?.string ?? "", cgroup: json["cgroup"]?.string ?? "",
      usage: json["usage_bytes"]?.unsigned ?? 0)
  }
}

extension KillRecord.Comparison {
  var json: JSON {
    .object([
      ("containers", .integer(Int64(containers))), ("order", .array(order.map { .string($0.rawValue) })),
      ("decided_by", .string(decidedBy.name)), ("values", chosen.json), ("next", next.json), ("next_values", nextValues.json),
      ("next_cgroup", .string(next.cgroup)), ("next_usage_bytes", size(next.usage)),
    ])
  }

  init?(json: JSON) {
    guard let key = json["decided_by"]?.string.flatMap(Key.init(name:)), let next = json["next"] else { return nil }
    self.init(
      containers: UInt32(clamping: json["containers"]?.integer ?? 0),
      order: json["order"]?.array?.compactMap { $0.string.flatMap(OrderKey.init(rawValue:)) } ?? [], decidedBy: key,
      chosen: Values(json: json["values"] ?? .null), next: KillRecord.Container(json: next),
      nextValues: Values(json: json["next_values"] ?? .null))
  }
}

extension KillRecord.Comparison.Key {
  fileprivate var name: String {
    switch self {
    case .protect: "protect"
    case .cause: "cause"
    case .order(let key): key.rawValue
    }
  }

  fileprivate init?(name: String) {
    switch name {
    case "protect": self = .protect
    case "cause": self = .cause
    default:
      guard let key = OrderKey(rawValue: name) else { return nil }
      self = .order(key)
    }
  }
}

extension KillRecord.Comparison.Values {
  fileprivate var json: JSON {
    .object([
      ("protect", .bool(isProtected)), ("priority", .integer(Int64(priority))), ("qos", .string(qos.rawValue)),
      ("over_request_bytes", size(overRequest)), ("usage_bytes", size(usage)), ("cgroup_id", size(cgroupID)),
    ])
  }

  fileprivate init(json: JSON) {
    self.init(
      isProtected: json["protect"] == .bool(true), priority: Int32(clamping: json["priority"]?.integer ?? 0),
      qos: json["qos"]?.string.flatMap(KillRecord.Comparison.QoS.init(rawValue:)) ?? .burstableOrUnknown,
      overRequest: json["over_request_bytes"]?.unsigned ?? 0, usage: json["usage_bytes"]?.unsigned ?? 0,
      cgroupID: json["cgroup_id"]?.unsigned ?? 0)
  }
}

extension KillRecord.Pressure {
  var json: JSON {
    .object([
      ("kind", .string(kind.rawValue)), ("permille", .integer(Int64(permille))),
      ("limit_permille", .integer(Int64(limitPermille))),
      ("held_ns", size(held)),
    ])
  }

  init?(json: JSON) {
    guard let kind = json["kind"]?.string.flatMap(PressureRequest.Kind.init(rawValue:)) else { return nil }
    self.init(
      kind: kind, permille: UInt32(clamping: json["permille"]?.integer ?? 0),
      limitPermille: UInt32(clamping: json["limit_permille"]?.integer ?? 0), held: json["held_ns"]?.unsigned ?? 0)
  }
}

extension KillRecord.Process {
  public var json: JSON {
    .object([
      ("pid", .integer(Int64(pid))), ("comm", .string(comm)), ("uid", .integer(Int64(uid))),
      ("start_time", .string(timestamp(startTime))),
      (
        "memory",
        .object([
          ("rss_bytes", size(memory.rss)), ("anon_bytes", size(memory.anon)), ("file_bytes", size(memory.file)),
          ("shmem_bytes", size(memory.shmem)), ("swap_bytes", size(memory.swap)),
          ("pgtables_bytes", size(memory.pageTables)),
        ])
      ),
      ("oom_score_adj", .integer(Int64(oomScoreAdj))),
    ])
  }

  init?(json: JSON) {
    guard let pid = json["pid"]?.integer, let comm = json["comm"]?.string, let memory = json["memory"] else { return nil }
    self.init(
      pid: UInt32(clamping: pid), comm: comm, uid: UInt32(clamping: json["uid"]?.integer ?? 0),
      oomScoreAdj: Int32(clamping: json["oom_score_adj"]?.integer ?? 0),
      startTime: json["start_time"]?.string.flatMap(nanoseconds(fromTimestamp:)) ?? 0,
      memory: KillRecord.Memory(
        anon: memory["anon_bytes"]?.unsigned ?? 0, file: memory["file_bytes"]?.unsigned ?? 0,
        shmem: memory["shmem_bytes"]?.unsigned ?? 0, swap: memory["swap_bytes"]?.unsigned ?? 0,
        pageTables: memory["pgtables_bytes"]?.unsigned ?? 0))
  }
}

extension JSON {
  var unsigned: UInt64? { integer.flatMap { UInt64(exactly: $0) } }
}

/// Sizes and times never reach 2^63.
private func size(_ value: UInt64) -> JSON { .integer(Int64(clamping: value)) }
