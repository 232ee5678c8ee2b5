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
