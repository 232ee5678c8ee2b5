extension KillRecord {
  /// Why this victim, in a few words.
  public var why: String {
    switch outcome {
    case .stoodAside:
      if notes.contains(.memoryAvailable) { return "there is memory available, so nobody's death would help" }
      if notes.contains(.truncated) { return "there is more below it than oomlet looks at: left to the kernel" }
      return policy == VictimRule.kernel.rawValue
        ? "policy kernel leaves the choice to the kernel" : "no process in \(place) may be killed: left to the kernel"
    case .failed where errorNumber == 3: return "it had ended by itself meanwhile (errno 3)"
    case .failed: return "the kernel refused to kill the victim (errno \(errorNumber)): left to the kernel"
    case .killed, .dryRun:
      return [choiceOfProcess, choiceOfContainer, deaths, others].compactMap { $0 }.joined(separator: "; ")
    }
  }

  private var place: String { "container \(containerName)" }

  private var choiceOfProcess: String {
    let processes = candidates == 1 ? "the only process" : "of \(candidates) processes"
    let remark = notes.contains(.allProtected) ? " (all protected)" : notes.contains(.allSmall) ? " (all below min-size)" : ""
    guard candidates > 1 else { return "\(processes) in \(place)\(remark)" }
    // Who is in a class of its own has not been measured against anybody
    if runnerUp != nil, victimClass != runnerUpClass {
      let reason =
        switch (victimClass, runnerUpClass) {
        case (.preferred, _): "the only preferred one"
        case (_, .protected): "the only unprotected one"
        default: "the only one above min-size"
        }
      return "\(reason) \(processes) in \(place)\(remark)"
    }
    let reason =
      switch VictimRule(rawValue: policy) {
      case .largestRSS?: "largest resident memory"
      case .largestMemory?: "largest memory"
      case .largestAnon?: "largest anonymous memory"
      case .largestShmem?: "largest shared memory"
      case .youngest?: "started last"
      case .oldest?: "started first"
      case .highestOOMScore?: "highest oom_score"
      case .kernel?: "the kernel's measure"
      case nil: notes.contains(.noPolicy) ? "the kernel's measure" : "first choice of policy \(printable(policy))"
      }
    if notes.contains(.policyIsDryRun) {
      return "the kernel's measure \(processes) in \(place)\(remark), whose policy is a dry run"
    }
    return "\(reason) \(processes) in \(place)\(remark)"
  }

  /// What is charged beside the processes, if that is most of it: no death gives it back.
  private var others: String? {
    guard let charged, usage > 0 else { return nil }
    let files = charged.file.subtracting(charged.mapped)
    let inTmpfs = min(charged.shmem, files)
    let kinds = [
      (inTmpfs, "are files in tmpfs"), (files.subtracting(inTmpfs), "are cached files"), (charged.kernel, "is kernel memory"),
    ]
    guard kinds.reduce(0, { $0 &+ $1.0 }) > usage / 2, let most = kinds.max(by: { $0.0 < $1.0 }) else { return nil }
    return "\(binarySize(most.0)) of the \(binarySize(usage)) in use \(most.1), and no process's"
  }

  private var choiceOfContainer: String? {
    guard let comparison else { return nil }
    let (chosen, next) = (comparison.chosen, comparison.nextValues)
    let reason =
      switch comparison.decidedBy {
      case .protect: "is not protected by the node, unlike"
      case .cause: "rather causes the pressure than"
      case .order(.priority): "has priority \(chosen.priority), lower than the \(next.priority) of"
      case .order(.qos): "is \(chosen.qos.rawValue), before \(next.qos.rawValue) of"
      case .order(.overRequest):
        "is \(binarySize(chosen.overRequest)) above its request, more than the \(binarySize(next.overRequest)) of"
      case .order(.usage): "uses \(binarySize(chosen.usage)), more than the \(binarySize(next.usage)) of"
      case .order(.youngest): "is younger than"
      }
    let remark = notes.contains(.containerProtected) ? " (all protected by the node)" : ""
    return "the container \(reason) \(comparison.next.label), \(comparison.containers) compared\(remark)"
  }

  private var deaths: String? {
    guard kill != .process else { return notes.contains(.groupDrift) ? "memory.oom.group took more with it" : nil }
    if innerCgroup != nil { return "its cgroup with it" }
    return kill == .pod ? "its pod with it" : "its container with it"
  }

  /// The cgroup inside of the container whose limit it was, which the container has set itself; from the container's. nil: its own.
  private var innerCgroup: String? {
    guard level == .container, limitCgroup.hasPrefix(container.cgroup + "/") else { return nil }
    return String(limitCgroup.dropFirst(container.cgroup.count + 1))
  }

  /// The record as one sentence.
  public var sentence: String {
    let limitText = limit.map { " of \(binarySize($0))" } ?? ""
    let scope =
      switch level {
      case .container: (innerCgroup.map { "cgroup \(printable($0)) in " } ?? "") + "container \(containerName)"
      case .system: "the node"
      case .pod, .slice: "\(level) \(printable(limitCgroup))"
      }
    let cause =
      switch trigger {
      case .limit: "\(scope) reached its limit\(limitText)"
      case .system: "the node ran out of memory"
      case .pressure: pressure?.sentence(scope) ?? "memory pressure in \(scope)"
      }
    if notes.contains(.memoryAvailable) { return "\(cause); stood aside: \(why)." }
    guard let victim, outcome != .stoodAside else { return "\(cause); policy \(printable(policy)) stood aside: \(why)." }
    let process = "\(printable(victim.comm)) (pid \(victim.pid), \(binarySize(victim.memory.rss)) resident)"
    let verb =
      switch outcome {
      case .killed: "killed"
      case .dryRun: "would have killed"
      case .stoodAside: "spared"
      case .failed: "failed to kill"
      }
    return "\(cause); policy \(printable(policy)) \(verb) \(process): \(why)."
  }

  /// What people call the container: see ``Container/label``.
  public var containerName: String { container.label }
}

extension KillRecord.Container {
  /// `pod/name`, name, the id's beginning, or its cgroup.
  public var label: String {
    guard !id.isEmpty else { return printable(cgroup.split(separator: "/").last.map(String.init) ?? cgroup, limit: 40) }
    let name = name.isEmpty ? String(id.prefix(24)) : name
    return printable(pod.isEmpty ? name : "\(pod)/\(name)")
  }
}

/// Bytes in the largest binary unit that leaves at least 1, with one digit after the point below 10: `1.5Gi`, `256Mi`.
public func binarySize(_ bytes: UInt64) -> String {
  var unit = ""
  var divisor: UInt64 = 1
  for next in ["Ki", "Mi", "Gi", "Ti", "Pi"] where bytes / divisor >= 1024 {
    unit = next
    divisor *= 1024
  }
  let tenths = (Double(bytes) / Double(divisor) * 10).rounded()
  let whole = UInt64(tenths) / 10
  let digit = UInt64(tenths) % 10
  return whole < 10 && digit != 0 ? "\(whole).\(digit)\(unit)" : "\(UInt64((Double(bytes) / Double(divisor)).rounded()))\(unit)"
}

extension KillRecord.Pressure {
  fileprivate func sentence(_ scope: String) -> String {
    "\(kind == .full ? "all" : "some") tasks of \(scope) stalled \(percentage(permille)) of the time for want of memory, "
      + "above \(percentage(limitPermille)) for \(held / 1_000_000_000).\(held / 100_000_000 % 10)s"
  }
}

extension UInt64 {
  /// 0 where it would be less: counters are read one after the other.
  fileprivate func subtracting(_ other: UInt64) -> UInt64 { self > other ? self - other : 0 }
}
