import Foundation
import OomletModel
import OomletPrivileges
import OomletSystem
import Synchronization
import Testing

@testable import OomletAgent

@Suite(.timeLimit(.minutes(1))) struct ReliefThreadsTests {
  private func job(_ name: String) -> ReliefJob {
    ReliefJob(
      owner: 7, container: .init(id: name, name: name, pod: "", namespace: "", cgroup: "/\(name)", usage: 0), cgroupID: 7,
      stage: ReliefStage(.reclaim(1 << 20), from: 100, deadline: 1_000_000), number: 1, permille: 200, kind: .full, isDryRun: true
    )
  }

  /// The capabilities of all relief threads that this process has.
  private var rights: [UInt64] {
    (namesInDirectory("/proc/self/task") ?? []).compactMap { thread in
      guard contents(of: "/proc/self/task/\(thread)/comm") == Array("oomlet-relief\n".utf8) else { return nil }
      let status = String(decoding: contents(of: "/proc/self/task/\(thread)/status") ?? [], as: UTF8.self)
      return status.split(separator: "\n").first { $0.hasPrefix("CapEff:") }
        .flatMap { UInt64($0.split(separator: "\t").last ?? "", radix: 16) }
    }
  }

  @Test func `when they are there, they have dropped their rights`() throws {
    for _ in 1...20 {
      let before = rights.count
      let threads = try ReliefThreads()
      let allowed = ReliefThreads.capabilities.reduce(0) { $0 | 1 << UInt64($1.rawValue) } as UInt64
      #expect(rights.count >= before + ReliefThreads.count)
      #expect(rights.allSatisfy { $0 & ~allowed == 0 })
      #expect(threads.problem == nil)
    }
  }

  private func wait(for condition: () -> Bool) {
    let end = monotonicNanoseconds() + 20_000_000_000
    while !condition(), monotonicNanoseconds() < end { usleep(1000) }
  }

  @Test func `a thread that hangs is named and left alone, and the others are not`() throws {
    let hang = Mutex(true)
    let threads = try ReliefThreads { job in
      while job.container.name.hasPrefix("dead"), hang.withLock({ $0 }) { usleep(1000) }
      return job.run()
    }
    threads.start(job("dead-1"))
    wait { threads.deadline != nil }
    var now = monotonicNanoseconds() + 1_000_000_000
    for _ in 0...10 {
      #expect(threads.lost == nil && threads.ended(now: now).isEmpty)
      now += 1_000_000_000
    }
    #expect(threads.deadline == nil, "nothing to wake for")
    let lost = try #require(threads.lost)
    #expect(lost.contains("hangs in reclaim of container dead-1: relief goes on with one thread"), "\(lost)")
    var done: [(ReliefJob, ReliefRecord)] = []
    threads.start(job("web"))
    wait {
      done += threads.ended(now: 0)
      return !done.isEmpty
    }
    #expect(done.map { $0.1.outcome } == [.dryRun])

    // The second one, too: who would wait is told at once
    threads.start(job("dead-2"))
    wait { threads.deadline != nil }
    threads.start(job("waits"))
    for _ in 0...10 {
      done = threads.ended(now: now)
      now += 1_000_000_000
    }
    #expect(done.map(\.1.message) == ["all threads for relief hang"] && done[0].1.outcome == .failed)
    threads.start(job("late"))
    #expect(threads.ended(now: now).map { $0.1.container.name } == ["late"])
    #expect(threads.lost?.contains("no relief is carried out") == true)
    hang.withLock { $0 = false }
    wait { threads.lost == nil }
    #expect(threads.lost == nil)
  }
}
