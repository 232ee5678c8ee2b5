internal import CoreMetrics
internal import Glibc
internal import OomletAttach
internal import OomletBPF
internal import OomletJournal
internal import OomletMetrics
internal import OomletModel
internal import OomletSystem

/// What the agent tells of itself and of its node: metrics, whether it is ready, where the two are offered. Told by the
/// agent's loop; the server has a thread of its own.
final class Telemetry {
  let readiness = Readiness()
  private let registry = PrometheusRegistry(Metrics.families)
  private let probe: LoopProbe
  private var server: MetricsServer?
  /// Names that may be a label; others are shown as ``JournalTotals/other``.
  private var policies: Set<String> = []
  private let loadedPolicies: () -> [String]
  /// In ns of CLOCK_MONOTONIC.
  private var nextMeasurement: UInt64 = 0
  private var lost: UInt64 = 0
  private var rotations: UInt64 = 0

  /// - Parameter loadedPolicies: the names of those that the kernel has.
  init(loadedPolicies: @escaping () -> [String] = { LoadedPolicies.names }) throws(Failure) {
    self.loadedPolicies = loadedPolicies
    probe = try LoopProbe()
    gauge(Metrics.build, [("version", oomletVersion)], 1)
    for reason in Degradation.allCases { set(reason, false) }
    for name in [Metrics.recordsLost, Metrics.journalFailures, Metrics.rotations] { counter(name).increment(by: 0) }
    for stage in ReliefStage.Kind.allCases {
      counter(Metrics.relief, [("stage", stage.rawValue), ("outcome", ReliefRecord.Outcome.done.rawValue)]).increment(by: 0)
      counter(Metrics.reliefFreed, [("stage", stage.rawValue)]).increment(by: 0)
    }
    _ = registry.histogram(Metrics.decisions)
    // Counters begin at 0, so that the first kill is seen as an increase
    for policy in VictimRule.allCases.map(\.rawValue) + [Telemetry.noPolicy] {
      policies.insert(policy)
      for (trigger, level) in Telemetry.usual { kills(policy, trigger, level, .killed).increment(by: 0) }
    }
  }

  /// What a record says of a container without policy.
  private static let noPolicy = "none"
  private static let usual: [(KillRecord.Trigger, KillRecord.Level)] = [
    (.limit, .container), (.limit, .pod), (.limit, .slice), (.system, .system),
  ]

  // MARK: the server

  /// Offers metrics there, and nowhere else; nil: nowhere.
  func offer(at address: ListenAddress?) throws(Failure) {
    guard server?.address != address else { return }
    server?.stop()
    server = nil
    if let address { server = try MetricsServer(address, registry: registry, readiness: readiness, probe: probe) }
  }

  func stop() {
    probe.answer()
    server?.stop()
  }

  /// For the loop's poll(2): readable when a client has asked.
  var pollDescriptor: CInt { probe.pollDescriptor }

  /// - Parameters:
  ///   - report: tells what is known.
  ///   - measure: what has to be asked of the kernel for each container. However many ask, that takes no more than a tenth of
  ///     the loop's time.
  func answer(report: () -> Void, measure: () -> Void) {
    probe.answer {
      report()
      let start = monotonicNanoseconds()
      guard start >= nextMeasurement else { return }
      measure()
      let end = monotonicNanoseconds()
      nextMeasurement = end + 9 * (end - start)
    }
  }

  /// The text that `/metrics` gives.
  var text: String { registry.text() }

  // MARK: what is told

  func set(_ reason: Degradation, _ holds: Bool) { gauge(Metrics.degraded, [("reason", reason.rawValue)], holds ? 1 : 0) }

  /// - Parameter tier: how policies decide here; nil: they don't.
  func set(tier: Tier?) {
    gauge(Metrics.kernelSupport, [("feature", "oom-policies")], tier == nil ? 0 : 1)
    for other in Tier.allCases { gauge(Metrics.kernelSupport, [("feature", other.rawValue)], tier == other ? 1 : 0) }
  }

  /// What the journal knew already.
  func add(_ totals: JournalTotals) {
    for (kind, count) in totals.kinds {
      kills(label(kind.policy), kind.trigger, kind.level, kind.outcome).increment(by: Int64(clamping: count))
    }
    registry.histogram(Metrics.decisions)?.add(buckets: totals.decisions, nanoseconds: totals.decisionNanoseconds)
  }

  func kept(_ record: KillRecord) {
    kills(label(record.policy), record.trigger, record.level, record.outcome).increment()
    Timer(label: Metrics.decisions, dimensions: [], factory: registry)
      .recordNanoseconds(Int64(clamping: record.decisionNanoseconds))
  }

  func kept(_ record: ReliefRecord) {
    let stage = ("stage", record.stage.action.kind.rawValue)
    counter(Metrics.relief, [stage, ("outcome", record.outcome.rawValue)]).increment()
    counter(Metrics.reliefFreed, [stage]).increment(by: Int64(clamping: record.freed))
  }

  func journalWriteFailed() { counter(Metrics.journalFailures).increment() }

  func set(_ reload: ReloadState) {
    gauge(Metrics.reloadSuccess, [], reload.failure == nil ? 1 : 0)
    gauge(Metrics.reloadTime, [], Double(reload.loaded) / 1e9)
  }

  func set(attached: Int) { gauge(Metrics.attached, [], Double(attached)) }

  /// - Parameter limits: of all cgroups but the root.
  func set(limits: [Pressure], ofSystem: Pressure?) {
    gauge(Metrics.watched, [], Double(limits.count))
    gauge(Metrics.above, [], Double(limits.count { $0.since != nil }))
    for kind in PressureRequest.Kind.allCases {
      let limit = ofSystem.flatMap { $0.limit.kind == kind ? Double($0.limit.permille) / 1000 : nil } ?? 0
      gauge(Metrics.stallLimit, [("kind", kind.rawValue)], limit)
      if let share = Node.stallShare(kind) { gauge(Metrics.stalls, [("kind", kind.rawValue)], share) }
    }
  }

  /// - Parameter lost: since the ring was made.
  func set(ring: Ring?, lost: UInt64) {
    gauge(Metrics.ringSize, [], Double(ring?.size ?? 0))
    gauge(Metrics.ringWaiting, [], Double(ring?.waiting ?? 0))
    counter(Metrics.recordsLost).increment(by: Int64(clamping: lost &- min(lost, self.lost)))
    self.lost = lost
  }

  func set(rotations: UInt64) {
    counter(Metrics.rotations).increment(by: Int64(clamping: rotations &- self.rotations))
    self.rotations = rotations
  }

  /// This process's own (proc_pid_statm(5), proc_pid_fd(5)).
  func measureProcess() {
    let pages = String(decoding: contents(of: "/proc/self/statm") ?? [], as: UTF8.self).split(separator: " ")
    if pages.count > 1, let resident = Int(pages[1]) { gauge(Metrics.memory, [], Double(resident) * Double(getpagesize())) }
    // Without the one that reads them
    if let descriptors = namesInDirectory("/proc/self/fd")?.count { gauge(Metrics.descriptors, [], Double(descriptors - 1)) }
  }

  // MARK: series

  private func label(_ policy: String) -> String {
    // One of the node's own may have been loaded since
    if !policies.contains(policy) { policies.formUnion(loadedPolicies()) }
    return policies.contains(policy) ? policy : JournalTotals.other
  }

  private func kills(
    _ policy: String, _ trigger: KillRecord.Trigger, _ level: KillRecord.Level, _ outcome: KillRecord.Outcome
  ) -> Counter {
    counter(
      Metrics.kills,
      [("policy", policy), ("trigger", trigger.rawValue), ("level", level.rawValue), ("outcome", outcome.rawValue)])
  }

  private func counter(_ name: String, _ labels: [(String, String)] = []) -> Counter {
    Counter(label: name, dimensions: labels, factory: registry)
  }

  private func gauge(_ name: String, _ labels: [(String, String)], _ value: Double) {
    Meter(label: name, dimensions: labels, factory: registry).set(value)
  }
}
