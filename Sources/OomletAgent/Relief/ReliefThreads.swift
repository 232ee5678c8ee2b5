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
  private static let count = 2

  private struct Work {
    var jobs: [ReliefJob] = []
    /// By thread: when its stage must end, in ns of CLOCK_MONOTONIC.
    var running: [pthread_t: UInt64] = [:]
    var done: [(ReliefJob, ReliefRecord)] = []
  }

  private let work = Mutex(Work())
  /// Readable: so many jobs; a stage has ended.
  private let jobs: OwnedFD
  private let ended: OwnedFD

  /// Before the agent drops its own capabilities.
  init() throws(Failure) {
    let (jobs, ended) = (eventfd(0, CInt(EFD_CLOEXEC | EFD_SEMAPHORE)), eventfd(0, CInt(EFD_CLOEXEC | EFD_NONBLOCK)))
    guard jobs >= 0, ended >= 0, clinux_prepare_interrupts() == 0 else {
      throw Failure(.failed, systemError("cannot make an event descriptor"))
    }
    self.jobs = OwnedFD(jobs)
    self.ended = OwnedFD(ended)
    for _ in 0..<ReliefThreads.count {
      var thread = pthread_t()
      let started = pthread_create(
        &thread, nil,
        { context in
          // If it can't, the agent can't either, and says so
          try? Capability.keepOnly(ReliefThreads.capabilities)
          let threads = Unmanaged<ReliefThreads>.fromOpaque(context!).takeUnretainedValue()
          while true { threads.runNext() }
        }, Unmanaged.passRetained(self).toOpaque())
      guard started == 0 else { throw Failure(.failed, systemError("cannot start a thread", started)) }
    }
  }

  /// For poll(2): readable when a stage has ended.
  var pollDescriptor: CInt { ended.raw }

  /// In ns of CLOCK_MONOTONIC: when to ask ``ended(now:)`` at the latest; nil: none runs.
  var deadline: UInt64? { work.withLock { $0.running.values.min() } }

  func start(_ job: ReliefJob) {
    work.withLock { $0.jobs.append(job) }
    var one: UInt64 = 1
    write(jobs.raw, &one, 8)
  }

  /// Those that have ended since it was asked last; those that are late are interrupted.
  func ended(now: UInt64) -> [(ReliefJob, ReliefRecord)] {
    var count: UInt64 = 0
    read(ended.raw, &count, 8)
    return work.withLock { work in
      for (thread, deadline) in work.running where now >= deadline {
        clinux_interrupt(UInt(thread))
        // And again, if that came before its system call
        work.running[thread] = now + 100_000_000
      }
      defer { work.done = [] }
      return work.done
    }
  }

  private func runNext() {
    var count: UInt64 = 0
    guard read(jobs.raw, &count, 8) == 8 else { return }
    let thread = pthread_self()
    let job = work.withLock { work -> ReliefJob? in
      guard !work.jobs.isEmpty else { return nil }
      let job = work.jobs.removeFirst()
      work.running[thread] = monotonicNanoseconds() + job.stage.deadline
      return job
    }
    guard let job else { return }
    let record = job.run()
    work.withLock { work in
      work.running[thread] = nil
      work.done.append((job, record))
    }
    var one: UInt64 = 1
    write(ended.raw, &one, 8)
  }
}
