internal import CLinux
internal import Glibc
internal import OomletModel
internal import OomletPrivileges
internal import OomletSystem
internal import Synchronization

/// Carries out stages beside the agent's loop, which waits for none of them. Its threads have rights that the loop has not.
final class ReliefThreads: Sendable {
  /// For memory.reclaim and files of containers' users, to reach into their mount namespaces, to signal their processes.
  static let capabilities: [Capability] = [.dacOverride, .kill, .sysPtrace]
  /// So that one container's does not wait for another's, unless many are short at once.
  static let count = 2

  /// A stage that is late is interrupted so often, and so long after the last time, in ns: the signal may come before its system
  /// call. Then its thread is lost.
  private static let mostInterrupts = 10
  private static let pause: UInt64 = 100_000_000

  private struct Running {
    var name: String
    var job: ReliefJob
    /// When to interrupt it, in ns of CLOCK_MONOTONIC; nil: it is lost.
    var due: UInt64?
    var interrupts = 0
  }

  private struct Work {
    var jobs: [ReliefJob] = []
    var running: [pthread_t: Running] = [:]
    var done: [(ReliefJob, ReliefRecord)] = []
    var problem: Failure?

    var lost: [Running] { running.values.filter { $0.due == nil } }

    /// Who would wait for threads that are all lost.
    mutating func refuse() {
      guard lost.count == ReliefThreads.count else { return }
      done += jobs.map { ($0, $0.record(of: .init(outcome: .failed, message: "all threads for relief hang"))) }
      jobs = []
    }
  }

  private let work = Mutex(Work())
  /// Readable: so many jobs; a stage has ended; so many threads have begun.
  private let jobs: OwnedFD
  private let ended: OwnedFD
  private let begun: OwnedFD
  private let carryOut: @Sendable (ReliefJob) -> ReliefRecord

  /// Before the agent drops its own capabilities. Its threads have dropped theirs when this returns: later system calls are
  /// filtered.
  init(carryOut: @escaping @Sendable (ReliefJob) -> ReliefRecord = { $0.run() }) throws(Failure) {
    self.carryOut = carryOut
    let semaphores = (0..<2).map { _ in eventfd(0, CInt(EFD_CLOEXEC | EFD_SEMAPHORE)) }
    let ended = eventfd(0, CInt(EFD_CLOEXEC | EFD_NONBLOCK))
    guard semaphores.allSatisfy({ $0 >= 0 }), ended >= 0, clinux_prepare_interrupts() == 0 else {
      throw Failure(.failed, systemError("cannot make an event descriptor"))
    }
    jobs = OwnedFD(semaphores[0])
    begun = OwnedFD(semaphores[1])
    self.ended = OwnedFD(ended)
    for _ in 0..<ReliefThreads.count {
      var thread = pthread_t()
      let started = pthread_create(
        &thread, nil, { Unmanaged<ReliefThreads>.fromOpaque($0!).takeUnretainedValue().run() },
        Unmanaged.passRetained(self).toOpaque())
      guard started == 0 else { throw Failure(.failed, systemError("cannot start a thread", started)) }
    }
    var one: UInt64 = 0
    for _ in 0..<ReliefThreads.count { while read(begun.raw, &one, 8) < 0, errno == EINTR {} }
  }

  /// Why its threads have more rights than they need; nil: they have not.
  var problem: Failure? { work.withLock { $0.problem } }

  /// What hangs for good, and can't be ended; nil: nothing.
  var lost: String? {
    let lost = work.withLock { $0.lost }.sorted { $0.name < $1.name }
    guard !lost.isEmpty else { return nil }
    let what = lost.map {
      "thread \($0.name) hangs in \($0.job.stage.action.kind.rawValue) of container \($0.job.container.label)"
    }
    let left = lost.count == ReliefThreads.count ? "no relief is carried out" : "relief goes on with one thread"
    return "\(what.joined(separator: ", ")): \(left), until it ends or the agent is started again"
  }

  /// For poll(2): readable when a stage has ended.
  var pollDescriptor: CInt { ended.raw }

  /// In ns of CLOCK_MONOTONIC: when to ask ``ended(now:)`` at the latest; nil: none runs.
  var deadline: UInt64? { work.withLock { $0.running.values.compactMap(\.due).min() } }

  func start(_ job: ReliefJob) {
    work.withLock {
      $0.jobs.append(job)
      $0.refuse()
    }
    ReliefThreads.signal(jobs)
    ReliefThreads.signal(ended)
  }

  /// Those that have ended since it was asked last; those that are late are interrupted.
  func ended(now: UInt64) -> [(ReliefJob, ReliefRecord)] {
    var count: UInt64 = 0
    read(ended.raw, &count, 8)
    return work.withLock { work in
      for (thread, running) in work.running where running.due.map({ now >= $0 }) == true {
        clinux_interrupt(UInt(thread))
        work.running[thread]?.interrupts += 1
        work.running[thread]?.due = running.interrupts < ReliefThreads.mostInterrupts ? now + ReliefThreads.pause : nil
      }
      work.refuse()
      defer { work.done = [] }
      return work.done
    }
  }

  private func run() -> Never {
    do throws(Failure) { try Capability.keepOnly(ReliefThreads.capabilities) } catch { work.withLock { $0.problem = error } }
    clinux_name_thread("oomlet-relief")
    ReliefThreads.signal(begun)
    while true { runNext() }
  }

  private func runNext() {
    var count: UInt64 = 0
    guard read(jobs.raw, &count, 8) == 8 else { return }
    let thread = pthread_self()
    let job = work.withLock { work -> ReliefJob? in
      guard !work.jobs.isEmpty else { return nil }
      let job = work.jobs.removeFirst()
      work.running[thread] = Running(
        name: String(clinux_thread_id()), job: job, due: monotonicNanoseconds() + job.stage.deadline)
      return job
    }
    guard let job else { return }
    let record = carryOut(job)
    work.withLock { work in
      work.running[thread] = nil
      work.done.append((job, record))
    }
    ReliefThreads.signal(ended)
  }

  private static func signal(_ event: borrowing OwnedFD) {
    var one: UInt64 = 1
    write(event.raw, &one, 8)
  }
}
