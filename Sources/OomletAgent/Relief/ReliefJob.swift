internal import Glibc
internal import OomletModel
internal import OomletSystem

/// A stage that is due, with all that is needed to carry it out.
struct ReliefJob: Sendable {
  /// Whose relief it is a stage of: the id of the container's cgroup, or 1, the node.
  var owner: UInt64
  var container: KillRecord.Container
  /// Of the container.
  var cgroupID: UInt64
  var stage: ReliefStage
  var number: Int
  /// What was found when it became due.
  var permille: UInt32
  var kind: PressureRequest.Kind
  var isDryRun: Bool
  /// Who would die now, in this process's PID namespace; nil: nobody.
  var victim: Int32?

  /// What has come of it.
  struct Result: Sendable {
    var outcome: ReliefRecord.Outcome
    var freed: UInt64 = 0
    var files = 0
    var process: (pid: Int32, comm: String)?
    var message = ""
  }

  /// Ends by its deadline, short of a system call that can't be interrupted.
  func run() -> ReliefRecord {
    let (start, time) = (monotonicNanoseconds(), Int64(clockNanoseconds(CLOCK_REALTIME)))
    let result = isDryRun ? Result(outcome: .dryRun) : carryOut(until: start + stage.deadline)
    return record(of: result, begun: time, duration: monotonicNanoseconds() - start)
  }

  /// - Parameter begun: in ns since the epoch.
  func record(
    of result: Result, begun: Int64 = Int64(clockNanoseconds(CLOCK_REALTIME)), duration: UInt64 = 0
  ) -> ReliefRecord {
    ReliefRecord(
      time: begun, container: container, isForNode: owner == 1, stage: stage, number: number, permille: permille, kind: kind,
      outcome: result.outcome, freed: result.freed, files: result.files, process: result.process, duration: duration,
      message: result.message)
  }

  private func carryOut(until deadline: UInt64) -> Result {
    do throws(Failure) {
      let cgroup = try Cgroup(path: container.cgroup)
      guard cgroup.id == cgroupID else { throw Failure(.notFound, "the container is gone") }
      switch stage.action {
      case .reclaim(let bytes): return MemoryReclaim.run(bytes, of: cgroup, until: deadline)
      case .delete(let files, let bytes):
        var deletion = FileDeletion(files, until: deadline)
        return deletion.run(bytes, in: try ContainerRoot.of(cgroup))
      case .signal(let signal, let target):
        return try ProcessSignal.send(
          signal, to: target == .victim ? victim : ContainerRoot.firstProcess(of: cgroup), in: cgroup, until: deadline)
      }
    } catch {
      return Result(outcome: .failed, message: error.description)
    }
  }
}
