import OomletModel
import Testing

@Suite struct SentenceTests {
  @Test func `a kill reads as one sentence`() {
    #expect(
      KillRecord.example().sentence
        == "container web reached its limit of 256Mi; policy largest-rss killed worker (pid 4711, 180Mi resident): "
        + "largest resident memory of 4 processes in container web.")
  }

  @Test func `no candidate: the policy stood aside`() {
    var record = KillRecord.example()
    (record.outcome, record.victim, record.candidates) = (.stoodAside, nil, 0)
    #expect(
      record.sentence
        == "container web reached its limit of 256Mi; policy largest-rss stood aside: "
        + "no process in container web may be killed: left to the kernel.")
  }

  @Test(
    arguments: [
      (.protect, "the container is not protected by the node, unlike shop/db"),
      (.order(.priority), "the container has priority -7, lower than the 7 of shop/db"),
      (.order(.qos), "the container is BestEffort, before Guaranteed of shop/db"),
      (.order(.overRequest), "the container is 2Mi above its request, more than the 1Mi of shop/db"),
      (.order(.usage), "the container uses 4Mi, more than the 3Mi of shop/db"),
      (.order(.youngest), "the container is younger than shop/db"),
    ] as [(KillRecord.Comparison.Key, String)])
  func `why a container gave way is told with both values`(_ key: KillRecord.Comparison.Key, _ text: String) {
    var record = KillRecord.example()
    record.comparison = KillRecord.Comparison(
      containers: 5, order: OrderKey.allCases, decidedBy: key,
      chosen: .init(priority: -7, qos: .bestEffort, overRequest: 2 << 20, usage: 4 << 20),
      next: .init(id: "x", name: "db", pod: "shop", namespace: "", cgroup: "/x", usage: 3 << 20),
      nextValues: .init(isProtected: true, priority: 7, qos: .guaranteed, overRequest: 1 << 20, usage: 3 << 20))
    #expect(record.why == "largest resident memory of 4 processes in container web; \(text), 5 compared")
    record.notes = .containerProtected
    #expect(record.why.hasSuffix("5 compared (all protected by the node)"))
  }

  @Test(
    arguments: [
      (.preferred, .plain, "the only preferred one of 4 processes in container web"),
      (.preferred, .protected, "the only preferred one of 4 processes in container web"),
      (.plain, .small, "the only one above min-size of 4 processes in container web"),
      (.plain, .protected, "the only unprotected one of 4 processes in container web"),
      (.small, .protected, "the only unprotected one of 4 processes in container web"),
      (.preferred, .preferred, "largest resident memory of 4 processes in container web"),
    ] as [(KillRecord.Class, KillRecord.Class, String)])
  func `where prefer, protect or min-size decided, no measure is the reason`(
    _ victim: KillRecord.Class, _ runnerUp: KillRecord.Class, _ why: String
  ) {
    var record = KillRecord.example()
    record.runnerUp = record.victim
    (record.victimClass, record.runnerUpClass) = (victim, runnerUp)
    #expect(record.why == why)
  }

  @Test func `what no process has is told where it is most of the limit`() {
    var record = KillRecord.example()
    record.usage = 40 << 20
    record.charged = .init(anon: 1 << 20, file: 39 << 20, mapped: 1 << 20, shmem: 38 << 20, kernel: 0)
    #expect(record.why.hasSuffix("; 38Mi of the 40Mi in use are files in tmpfs, and no process's"))
    record.charged = .init(anon: 30 << 20, file: 10 << 20, mapped: 1 << 20, shmem: 9 << 20, kernel: 1 << 20)
    #expect(!record.why.contains("in use"))
    record.charged = .init(anon: 0, file: 0, mapped: 9 << 20, shmem: 9 << 20, kernel: 30 << 20)
    #expect(record.why.hasSuffix("; 30Mi of the 40Mi in use is kernel memory, and no process's"))
    record.charged = .init(anon: .max, file: .max, mapped: 0, shmem: .max, kernel: .max)
    #expect(record.why.contains("container web"))
  }

  @Test func `a dry run where the node decides leaves the choice to the kernel's measure`() {
    var record = KillRecord.example()
    (record.level, record.notes) = (.system, .policyIsDryRun)
    #expect(record.why == "the kernel's measure of 4 processes in container web, whose policy is a dry run")
  }

  @Test func `a victim that ended by itself is no refusal`() {
    var record = KillRecord.example()
    (record.outcome, record.errorNumber) = (.failed, 3)
    #expect(record.why == "it had ended by itself meanwhile (errno 3)")
  }

  @Test func `a stranger's comm cannot move the cursor`() {
    var record = KillRecord.example()
    record.victim?.comm = "\u{1b}[2J"
    #expect(!record.sentence.contains("\u{1b}"))
  }

  @Test func `a kill the kernel refused names the errno`() {
    var record = KillRecord.example()
    (record.outcome, record.errorNumber) = (.failed, 3)
    #expect(record.sentence.contains("failed to kill worker"))
    #expect(record.sentence.contains("errno 3"))
  }

  @Test(
    arguments: [
      (0, "0"), (1023, "1023"), (1024, "1Ki"), (1536, "1.5Ki"), (256 << 20, "256Mi"), (10 << 30, "10Gi"),
      (UInt64.max, "16384Pi"),
    ] as [(UInt64, String)])
  func `sizes are shown in binary units`(_ bytes: UInt64, _ text: String) {
    #expect(binarySize(bytes) == text)
  }
}

extension KillRecord {
  static func example() -> KillRecord {
    KillRecord(
      time: 1_795_515_302_123_456_000, bootTime: 12_345_678_901, bootID: "0f0f0f0f-1", trigger: .limit, level: .container,
      policy: "largest-rss", outcome: .killed, errorNumber: 0,
      container: Container(id: "abc", name: "web", pod: "", namespace: "", cgroup: "/x/abc", usage: 0), limitCgroup: "/x/abc",
      victim: Process(
        pid: 4711, comm: "worker", uid: 1000, oomScoreAdj: 0, startTime: 1_795_515_300_000_000_000,
        memory: Memory(anon: 170 << 20, file: 8 << 20, shmem: 2 << 20, swap: 0, pageTables: 4096)),
      runnerUp: nil, candidates: 4, usage: 256 << 20, limit: 256 << 20, decisionNanoseconds: 20_000)
  }
}
