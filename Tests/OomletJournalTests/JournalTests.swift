import Foundation
import OomletJSON
import OomletJournal
import OomletModel
import OomletSystem
import Testing

private func record(_ bootTime: UInt64, boot: String = "boot-1") -> KillRecord {
  KillRecord(
    time: 1_795_515_302_123_456_000 + Int64(bootTime) * 1000, bootTime: bootTime, bootID: boot, trigger: .limit,
    level: .container,
    policy: "youngest", outcome: .killed, errorNumber: 0,
    container: .init(id: "c\(bootTime)", name: "", pod: "", namespace: "", cgroup: "/x", usage: 0), limitCgroup: "/x",
    victim: .init(
      pid: 7, comm: "a \"comm\"\n", uid: 0, oomScoreAdj: -5, startTime: 1_795_515_300_000_001_000,
      memory: .init(anon: 1, file: 2, shmem: 3, swap: 4, pageTables: 5)),
    runnerUp: nil, candidates: 2, usage: 10, limit: nil, decisionNanoseconds: 99)
}

private final class Scratch {
  let path = FileManager.default.temporaryDirectory.appending(path: "oomlet-\(UUID().uuidString)").path
  deinit { try? FileManager.default.removeItem(atPath: path) }
  var journal: String { "\(path)/kills.jsonl" }
  func text() -> String { (try? String(contentsOfFile: journal, encoding: .utf8)) ?? "" }
  func append(_ text: String) throws {
    let file = try #require(FileHandle(forWritingAtPath: journal))
    try file.seekToEnd()
    try file.write(contentsOf: Data(text.utf8))
  }
}

@Suite struct JournalTests {
  private let scratch = Scratch()

  @Test func `all of a comparison is read again`() throws {
    let writer = JournalWriter(path: scratch.journal)
    var all: [KillRecord] = []
    for (i, key) in ([.protect] + OrderKey.allCases.map(KillRecord.Comparison.Key.order)).enumerated() {
      var one = record(UInt64(i + 1))
      one.notes = [.containerProtected, .noPolicy]
      one.comparison = .init(
        containers: 3, order: [.qos, .usage], decidedBy: key,
        chosen: .init(isProtected: true, priority: -7, qos: .bestEffort, overRequest: 1, usage: 2, cgroupID: 3),
        next: .init(id: "n", name: "db", pod: "p", namespace: "s", cgroup: "/n", usage: 4),
        nextValues: .init(isProtected: false, priority: 7, qos: .noContainer, overRequest: 4, usage: 5, cgroupID: 6))
      #expect(try writer.append(one))
      all.append(one)
    }
    var reader = JournalReader(path: scratch.journal)
    #expect(try reader.next() == all)
  }

  @Test func `what is written is read again, a line each`() throws {
    let writer = JournalWriter(path: scratch.journal)
    for i in 1...3 { #expect(try writer.append(record(UInt64(i)))) }
    #expect(scratch.text().split(separator: "\n").count == 3)
    var reader = JournalReader(path: scratch.journal)
    #expect(try reader.next() == [record(1), record(2), record(3)])
    #expect(try reader.next().isEmpty)
    try writer.append(record(4))
    #expect(try reader.next() == [record(4)])
  }

  @Test func `a record handed out twice is written once, also by the next writer`() throws {
    for _ in 1...2 {
      let writer = JournalWriter(path: scratch.journal)
      let isFirst = scratch.text().isEmpty
      if isFirst { try writer.append(record(1)) }
      #expect(try writer.append(record(2)) == isFirst)
      #expect(try !writer.append(record(2)))
    }
    #expect(scratch.text().split(separator: "\n").count == 2)
  }

  @Test func `a record that began earlier and comes later is kept`() throws {
    let writer = JournalWriter(path: scratch.journal)
    // A slow decision, and one about pressure meanwhile
    for i: UInt64 in [1, 5, 3, 4] { #expect(try writer.append(record(i))) }
    let next = JournalWriter(path: scratch.journal)
    #expect(try !next.append(record(4)))
    #expect(try next.append(record(2)))
    var reader = JournalReader(path: scratch.journal)
    #expect(try reader.all().map(\.bootTime) == [1, 5, 3, 4, 2])
  }

  @Test func `damaged lines are counted and named, by who reads and by the next writer`() throws {
    do {
      let writer = JournalWriter(path: scratch.journal)
      try writer.append(record(1))
    }
    try scratch.append("\u{0}\u{0}\u{0}\n{\"time\":\n\n")
    var said: [String] = []
    let writer = JournalWriter(path: scratch.journal) { said.append($0.description) }
    try writer.append(record(2))
    let complaint = "\(scratch.journal): 2 lines are no records, the first is line 2: what was there is lost, the rest is read"
    #expect(said == [complaint] && writer.totals?.kinds.values.reduce(0, +) == 2)
    var read: [String] = []
    var reader = JournalReader(path: scratch.journal) { read.append($0.description) }
    #expect(try reader.all() == [record(1), record(2)])
    #expect(try reader.next().isEmpty && read == [complaint])
    // Followed
    try scratch.append("x\n")
    #expect(try reader.next().isEmpty && read.count == 2 && read[1].contains("3 lines"))
  }

  @Test func `a file put aside that ends within a line is damaged, and so may the totals be`() throws {
    do {
      let writer = JournalWriter(path: scratch.journal)
      try writer.append(record(1))
    }
    try scratch.append("{\"time\"")
    rename(scratch.journal, "\(scratch.journal).1")
    try Data("{".utf8).write(to: URL(filePath: "\(scratch.journal).totals"))
    var said: [String] = []
    let writer = JournalWriter(path: scratch.journal) { said.append($0.description) }
    try writer.append(record(2))
    #expect(
      said.count == 2 && said[0].contains("kills.jsonl.totals is damaged") && said[1].contains("kills.jsonl.1: line 2 "),
      "\(said)")
    var read: [String] = []
    var reader = JournalReader(path: scratch.journal) { read.append($0.description) }
    #expect(try reader.all() == [record(1), record(2)])
    #expect(read == [said[1]])
  }

  @Test func `a number that no next one has is not the journal's`() throws {
    try makeDirectory(scratch.path)
    try Data().write(to: URL(filePath: "\(scratch.journal).\(UInt64.max)"))
    var settings = JournalSettings()
    settings.maxSize = 1
    let writer = JournalWriter(path: scratch.journal, settings: settings)
    for i: UInt64 in 1...3 { #expect(try writer.append(record(i))) }
    var reader = JournalReader(path: scratch.journal)
    #expect(try reader.all().count == 3)
  }

  @Test(arguments: ["\u{9b}31m", "\u{7f}", "\u{85}", "\u{202e}", "\u{2028}", "\u{e0041}", "\u{1b}]0;x\u{7}"])
  func `a comm does nothing to a terminal that the JSON gets to, and reads the same`(_ comm: String) throws {
    var one = record(1)
    one.victim?.comm = comm
    let text = one.json.text
    #expect(text.unicodeScalars.allSatisfy { $0.isPrintable })
    #expect(try KillRecord(json: JSON(parsing: Array(text.utf8)))?.victim?.comm == comm)
    #expect(JSON.string("ümläut 日本").text == "\"ümläut 日本\"")
  }

  @Test func `a NUL byte is no JSON, wherever it is`() {
    for text in ["{\"pid\":-1\0}", "[1\0]", "1\0", "{}\0", "[\"a\0b\"]"] {
      #expect(throws: JSON.ParseError.self, "\(text)") { try JSON(parsing: Array(text.utf8)) }
    }
    #expect {
      try JSON(parsing: Array("{\n \"a\": 1\0}".utf8))
    } throws: { ($0 as? JSON.ParseError)?.description == "line 2, column 8: NUL byte" }
  }

  @Test func `another boot begins anew`() throws {
    let writer = JournalWriter(path: scratch.journal)
    try writer.append(record(100))
    #expect(try writer.append(record(1, boot: "boot-2")))
  }

  @Test(arguments: [#"{"time":"2026"#, #"{"time":"2026-11-24T10:00:00.000000Z","id":"#, "{"])
  func `a torn last line is removed, and its record taken again`(_ torn: String) throws {
    do {
      let writer = JournalWriter(path: scratch.journal)
      try writer.append(record(1))
    }
    try scratch.append(torn)
    var reader = JournalReader(path: scratch.journal)
    #expect(try reader.next() == [record(1)])
    let writer = JournalWriter(path: scratch.journal)
    #expect(try writer.append(record(2)))
    var again = JournalReader(path: scratch.journal)
    #expect(try again.next() == [record(1), record(2)])
    #expect(!scratch.text().contains(torn + "{"))
  }

  @Test func `a record with sizes that don't add up is still read and shown`() throws {
    var odd = record(1)
    odd.victim?.memory = .init(anon: .max, file: .max, shmem: .max)
    #expect(KillRecord(json: odd.json)?.victim?.memory.anon == UInt64(Int64.max))
    #expect(odd.json["victim"]?["memory"]?["rss_bytes"]?.integer != nil)
  }

  @Test func `the JSON has the promised names`() throws {
    let json = record(1).json
    for name in [
      "time", "id", "trigger", "level", "policy", "outcome", "container", "limit_cgroup", "victim", "runner_up", "candidates",
      "truncated", "usage_bytes", "limit_bytes", "decision_ns", "why",
    ] {
      #expect(json[name] != nil, "\(name)")
    }
    #expect(json["victim"]?["memory"]?["rss_bytes"] == .integer(6))
    #expect(json["time"] == .string("2026-11-24T10:15:02.123457Z"))
  }

  @Test(
    arguments: [
      0, 1_000, 951_782_400_000_000_000, 1_795_515_302_123_456_000, 4_102_444_799_999_999_000, -1_000, -1_000_000_000,
      -9_223_372_036_000_000_000, 9_223_372_036_854_775_000,
    ] as [Int64])
  func `timestamps survive the round trip`(_ time: Int64) {
    #expect(nanoseconds(fromTimestamp: timestamp(time)) == time)
  }

  @Test(arguments: [
    "", "2026-11-24", "2026-11-24T10:15:02Z", "2026-11-24 10:15:02.123456Z", "2026-11-24T10:15:02.12345aZ",
    "0000-01-01T00:00:00.000000Z", "1677-09-21T00:12:42.000000Z", "2262-04-11T23:47:16.854776Z", "9999-12-31T23:59:59.999999Z",
  ])
  func `what is no timestamp is none`(_ text: String) {
    #expect(nanoseconds(fromTimestamp: text) == nil)
  }
}
