import Glibc
import OomletJournal
import OomletModel
import Testing

@testable import OomletAgent

@Suite struct ReliefTests {
  private static let stages = [
    ReliefStage(.reclaim(1 << 20), from: 100, deadline: 1), ReliefStage(.signal(.term, .victim), from: 300, deadline: 1),
  ]

  @Test func `stages in their order, each once, from its threshold on`() {
    var round = ReliefRound(stages: ReliefTests.stages, rest: 100)
    #expect(round.begin(permille: 99, now: 1) == nil)
    #expect(round.begin(permille: 500, now: 2) == 1)
    #expect(round.begin(permille: 500, now: 3) == nil, "the first still runs")
    round.end(now: 4)
    #expect(round.begin(permille: 299, now: 5) == nil)
    #expect(round.begin(permille: 300, now: 6) == 2)
    round.end(now: 7)
    #expect(round.begin(permille: 500, now: 8) == nil, "all are through")
  }

  @Test func `again from the first when it was below, and when it lasts`() {
    var round = ReliefRound(stages: ReliefTests.stages, rest: 100)
    #expect(round.begin(permille: 100, now: 1) == 1)
    round.end(now: 2)
    #expect(round.begin(permille: 50, now: 3) == nil)
    #expect(round.begin(permille: 500, now: 4) == 1)
    round.end(now: 5)
    #expect(round.begin(permille: 200, now: 104) == nil)
    #expect(round.begin(permille: 200, now: 105) == 1)
  }

  @Test func `others in their place begin with their first`() {
    var round = ReliefRound(stages: ReliefTests.stages, rest: 100)
    #expect(round.begin(permille: 100, now: 1) == 1)
    round.replace([ReliefTests.stages[1]])
    #expect(round.begin(permille: 900, now: 2) == nil, "the old one still runs")
    round.end(now: 3)
    #expect(round.begin(permille: 900, now: 4) == 1)
  }

  private static let id = String(repeating: "0a", count: 32)
  @Test(
    arguments: [
      ("36 1 0:25 / /run rw - tmpfs tmpfs rw", "/run", false),
      (
        "36 1 0:25 / /var/lib/containers/overlay-containers/\(id)/userdata/shm rw - tmpfs shm rw",
        "/var/lib/containers/overlay-containers/\(id)/userdata/shm", true
      ),
      (
        "36 1 0:25 / /var/lib/kubelet/pods/x/volumes/kubernetes.io~empty-dir/cache rw - tmpfs tmpfs rw",
        "/var/lib/kubelet/pods/x/volumes/kubernetes.io~empty-dir/cache", true
      ),
      // The node's own, if it is that anywhere
      ("36 1 0:25 / /a/\(id)/b rw - tmpfs a rw\n37 1 0:25 /x /srv rw - tmpfs a rw", "/srv", false),
      ("36 1 0:26 / /run rw - tmpfs tmpfs rw\ngarbage\n\n", nil, false),
    ]) func `whose a tmpfs is`(_ mounts: String, _ place: String?, _ isForContainers: Bool)
  {
    #expect(HostMounts.place(of: "0:25", in: Mounts(Array(mounts.utf8))) == place)
    if let place { #expect(HostMounts.isForContainers(place) == isForContainers) }
  }

  private static func record(_ outcome: ReliefRecord.Outcome, message: String = "") -> ReliefRecord {
    ReliefRecord(
      time: 1_700_000_000_000_000_000,
      container: .init(id: "abc", name: "web", pod: "", namespace: "", cgroup: "/x", usage: 0), isForNode: false,
      stage: stages[0], number: 1, permille: 125, kind: .full, outcome: outcome, freed: 1 << 20, message: message)
  }

  @Test func `records are kept, and the file does not grow without end`() throws {
    let path = "/tmp/oomlet-relief-\(getpid()).jsonl"
    defer { for path in [path, "\(path).1"] { unlink(path) } }
    let journal = ReliefJournal(path: path)
    #expect(try ReliefJournal.records(path: path).isEmpty)
    try journal.append(ReliefTests.record(.done), maxSize: 1 << 20)
    // A crash in the middle of a line
    let file = fopen(path, "a")
    fputs("{\"stage\":", file)
    fclose(file)
    try journal.append(ReliefTests.record(.nothing, message: "the rest is in use"), maxSize: 1 << 20)
    let records = try ReliefJournal.records(path: path)
    #expect(records.map { $0["outcome"]?.string } == ["done", "nothing"])
    var said: [String] = []
    _ = try ReliefJournal.records(path: path) { said.append($0.description) }
    #expect(said.count == 1 && said[0].contains("\(path): line 2 is no record"), "\(said)")
    #expect(
      records.map { $0["sentence"]?.string } == [
        "all tasks of container web stalled 12.5% of the time for want of memory; relief 1, reclaim: 1Mi reclaimed.",
        "all tasks of container web stalled 12.5% of the time for want of memory; relief 1, reclaim: nothing to do: the rest is in use.",
      ])
    for _ in 0..<10 { try journal.append(ReliefTests.record(.partly), maxSize: 2000) }
    var status = stat()
    #expect(stat(path, &status) == 0 && status.st_size <= 2000)
    #expect(stat("\(path).1", &status) == 0 && status.st_size <= 3000)
  }
}
