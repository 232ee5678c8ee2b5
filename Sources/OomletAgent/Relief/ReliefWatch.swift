internal import Glibc
internal import OomletAttach
internal import OomletBPF
internal import OomletModel
internal import OomletSystem

/// Looks at the stalls of those that have relief, by the kernel's own measure, and starts the stages that are due. Decides
/// nothing of the OOM: that comes when it comes, whatever runs here.
final class ReliefWatch {
  /// In ns. The kernel looks about every 2 s; what it has not looked at for longer is idle.
  private static let interval: UInt64 = 1_000_000_000
  private static let freshness: UInt64 = 6_000_000_000

  private let threads: ReliefThreads
  private let report: (ReliefRecord) -> Void
  /// By the id of the container's cgroup, or 1, the node.
  private var rounds: [UInt64: ReliefRound] = [:]
  private var nextLook: UInt64 = 0

  /// - Parameter report: called in the loop with what a stage has come to.
  init(report: @escaping (ReliefRecord) -> Void) throws(Failure) {
    threads = try ReliefThreads()
    self.report = report
  }

  var pollDescriptor: CInt { threads.pollDescriptor }

  /// As ``ReliefThreads`` has them.
  var problem: Failure? { threads.problem }
  var lost: String? { threads.lost }

  /// In ns of CLOCK_MONOTONIC: when to ask ``handle(_:system:now:)`` at the latest; nil: nobody has relief.
  var deadline: UInt64? { rounds.isEmpty ? threads.deadline : min(nextLook, threads.deadline ?? .max) }

  /// - Parameters:
  ///   - relieved: the containers that have relief.
  ///   - system: the node's own relief.
  func handle(_ relieved: [AttachedContainer], system: [ReliefStage], now: UInt64) {
    for (job, record) in threads.ended(now: now) {
      rounds[job.owner]?.end(now: now)
      report(record)
    }
    guard now >= nextLook else { return }
    guard !relieved.isEmpty || !system.isEmpty || !rounds.isEmpty else { return }
    nextLook = now + ReliefWatch.interval
    let owners = Set(relieved.map(\.cgroupID) + (system.isEmpty ? [] : [1]))
    rounds = rounds.filter { owners.contains($0.key) }
    for container in relieved {
      guard let pressure = container.pressure else { continue }
      begin(container.relief, of: container.cgroupID, pressure, now) { [self] in target(container) }
    }
    if !system.isEmpty, let pressure = Pressure.ofSystem {
      let limit = pressure.limit.availablePermille
      guard limit == 0 || machineMemoryAvailable().map({ $0 < limit }) ?? true else { return }
      begin(system, of: 1, pressure, now) { [self] in cause() }
    }
  }

  private func begin(_ stages: [ReliefStage], of owner: UInt64, _ pressure: Pressure, _ now: UInt64, _ who: () -> Target?) {
    var round = rounds[owner] ?? ReliefRound(stages: stages, rest: pressure.limit.cooldown)
    if round.stages != stages { round.replace(stages) }
    round.rest = pressure.limit.cooldown
    defer { rounds[owner] = round }
    let boottime = clockNanoseconds(CLOCK_BOOTTIME)
    guard let permille = pressure.permille, let lookedAt = pressure.lookedAt,
      elapsed(since: lookedAt, now: boottime) < ReliefWatch.freshness,
      let number = round.begin(permille: permille, now: now)
    else { return }
    guard let target = who() else { return round.end(now: now) }
    threads.start(
      ReliefJob(
        owner: owner, container: target.container, cgroupID: target.cgroupID, stage: stages[number - 1], number: number,
        permille: permille, kind: pressure.limit.kind, isDryRun: pressure.dryRun, victim: target.victim))
  }

  /// Whose memory it is about, and who would die now, as the kernel's program says.
  private struct Target {
    var container: KillRecord.Container
    var cgroupID: UInt64
    var victim: Int32?
  }

  private func target(_ container: AttachedContainer) -> Target {
    let explanation = explanation(of: container.cgroupID)
    let id = container.identity
    return Target(
      container: KillRecord.Container(
        id: id.id, name: id.name, pod: id.pod, namespace: id.namespace, cgroup: container.cgroup,
        usage: explanation?.record.container.usage ?? 0),
      cgroupID: container.cgroupID, victim: explanation?.victim)
  }

  private func cause() -> Target? {
    guard let explanation = explanation(of: 1), explanation.containerCgroupID != 0 else { return nil }
    return Target(
      container: explanation.record.container, cgroupID: explanation.containerCgroupID, victim: explanation.victim)
  }

  private func explanation(of cgroup: UInt64) -> Explanation? {
    try? Explainer(deadline: monotonicNanoseconds() + 100_000_000).explain(stallsOf: cgroup)
  }
}

extension Explanation {
  fileprivate var victim: Int32? { record.victim.flatMap { Int32(exactly: $0.pid) } }
}
