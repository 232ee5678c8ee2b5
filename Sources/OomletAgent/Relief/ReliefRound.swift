internal import OomletModel
internal import OomletSystem

/// The stages of one cgroup's relief in their order: each once, then from the first on again when the stalls have been below
/// all of them, or last on.
struct ReliefRound {
  private(set) var stages: [ReliefStage]
  /// In ns: how long to rest when the stages are through, or wait for the next in vain, before they begin again.
  var rest: UInt64

  private var next = 0
  private var isRunning = false
  /// In ns of CLOCK_MONOTONIC.
  private var ended: UInt64 = 0

  init(stages: [ReliefStage], rest: UInt64) { (self.stages, self.rest) = (stages, rest) }

  /// The number, from 1, of the stage that is to begin now, if one is; then ``end(now:)`` must follow.
  ///
  /// - Parameters:
  ///   - permille: the share of the time that tasks stall, in thousandths.
  ///   - now: in ns of CLOCK_MONOTONIC.
  mutating func begin(permille: UInt32, now: UInt64) -> Int? {
    guard !isRunning, let first = stages.first else { return nil }
    if permille < first.permille || next > 0 && elapsed(since: ended, now: now) >= rest { next = 0 }
    guard next < stages.count, permille >= stages[next].permille else { return nil }
    isRunning = true
    next += 1
    return next
  }

  /// Others in their place, from the first on.
  mutating func replace(_ stages: [ReliefStage]) { (self.stages, next) = (stages, 0) }

  mutating func end(now: UInt64) { (isRunning, ended) = (false, now) }
}
