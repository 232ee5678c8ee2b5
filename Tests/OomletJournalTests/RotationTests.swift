import Foundation
import OomletModel
import Testing

@testable import OomletJournal

private func record(_ i: Int, time: Int64? = nil) -> KillRecord {
  KillRecord(
    time: time ?? Int64(i) * 1000, bootTime: UInt64(i), bootID: "boot", trigger: .limit, level: .container, policy: "youngest",
    outcome: .killed, container: .init(id: "c\(i)", name: "", pod: "", namespace: "", cgroup: "/x", usage: 0), limitCgroup: "/x",
    victim: nil, runnerUp: nil, candidates: 2, usage: 10, limit: nil, decisionNanoseconds: 7000)
}

private let kind = JournalTotals.Kind(policy: "youngest", trigger: .limit, level: .container, outcome: .killed)

@Suite final class RotationTests {
  private let directory = FileManager.default.temporaryDirectory.appending(path: "oomlet-\(UUID().uuidString)").path
  private var path: String { "\(directory)/kills.jsonl" }
  /// Of two records a file.
  private var settings = JournalSettings()

  init() {
    settings.maxSize = UInt64(record(10).json.encoded().count * 5 / 2)
    settings.maxFiles = 3
  }
  deinit { try? FileManager.default.removeItem(atPath: directory) }

  private var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted() }
  private func writer() -> JournalWriter { JournalWriter(path: path, settings: settings) }
  private func times(_ records: [KillRecord]) -> [Int] { records.map { Int($0.bootTime) } }
  private func all() throws -> [Int] {
    var reader = JournalReader(path: path)
    return times(try reader.all())
  }

  @Test func `a file that is full is put aside, with a number that it keeps; the oldest go`() throws {
    let writer = writer()
    for i in 10...19 { try writer.append(record(i)) }
    #expect(names == ["kills.jsonl", "kills.jsonl.2", "kills.jsonl.3", "kills.jsonl.4", "kills.jsonl.totals"])
    #expect(try all() == Array(12...19))
    #expect(writer.rotations == 4)
  }

  @Test func `a file that is old is put aside with the next record`() throws {
    settings.maxAge = 1_000_000_000
    let writer = writer()
    try writer.append(record(1, time: 5_000_000_000))
    try writer.append(record(2, time: 5_900_000_000))
    #expect(names == ["kills.jsonl"])
    let next = self.writer()
    try next.append(record(3, time: 6_000_000_000))
    #expect(names == ["kills.jsonl", "kills.jsonl.1", "kills.jsonl.totals"])
    #expect(try all() == [1, 2, 3])
  }

  @Test func `totals count all there have ever been, whoever writes`() throws {
    for i in 10...29 { try writer().append(record(i)) }
    let writer = writer()
    try writer.open()
    #expect(writer.totals?.kinds == [kind: 20])
    #expect(writer.totals?.decisions.reduce(0, +) == 20)
    #expect(writer.totals?.decisionNanoseconds == 140_000)
    #expect(names.count == 5)
  }

  @Test func `a writer that was killed at any step of it loses nothing and counts nothing twice`() throws {
    let written = writer()
    for i in 10...17 { try written.append(record(i)) }
    // Right after the rename
    rename(path, "\(path).4")
    var next = writer()
    #expect(try !next.append(record(17)))
    try next.append(record(18))
    #expect(next.totals?.kinds == [kind: 9])
    #expect(try all() == Array(12...18))
    // After the new file was made, before the totals
    rename(path, "\(path).5")
    _ = FileManager.default.createFile(atPath: path, contents: nil)
    next = writer()
    #expect(try !next.append(record(18)))
    #expect(next.totals?.kinds == [kind: 9])
    // While they were written
    _ = FileManager.default.createFile(atPath: "\(path).totals.999999.tmp", contents: Data("{".utf8))
    try next.append(record(19))
    next = writer()
    try next.open()
    #expect(next.totals?.kinds == [kind: 10])
    #expect(!names.contains { $0.hasSuffix(".tmp") })
  }

  @Test func `without a file of totals, what is there is counted`() throws {
    let written = writer()
    for i in 10...15 { try written.append(record(i)) }
    try Data("nonsense".utf8).write(to: URL(filePath: "\(path).totals"))
    let next = writer()
    try next.open()
    #expect(next.totals?.kinds == [kind: 6])
  }

  @Test func `who follows gets each record once, however files change`() throws {
    settings.maxFiles = 1000
    let writer = writer()
    var reader = JournalReader(path: path)
    var seen: [Int] = []
    for i in 10...99 {
      try writer.append(record(i))
      // Sometimes late, by some files
      if i % 7 == 0 || (i / 10) % 2 == 0 { seen += times(try reader.all()) }
    }
    seen += times(try reader.all())
    #expect(seen == Array(10...99))
  }

  @Test func `who follows and is late misses only what was removed`() throws {
    settings.maxFiles = 0
    let writer = writer()
    try writer.append(record(10))
    var reader = JournalReader(path: path)
    #expect(times(try reader.all()) == [10])
    // The second record of the file that is open is still there
    for i in 11...15 { try writer.append(record(i)) }
    #expect(times(try reader.all()) == [11, 14, 15])
    try writer.append(record(16))
    #expect(times(try reader.all()) == [16])
  }

  @Test func `a journal that somebody removes or moves begins anew, and nothing is read again`() throws {
    settings.maxFiles = 1000
    let writer = writer()
    for i in 10...14 { try writer.append(record(i)) }
    var reader = JournalReader(path: path)
    #expect(times(try reader.all()) == Array(10...14))
    unlink(path)
    try writer.append(record(15))
    #expect(times(try reader.all()) == [15])
    #expect(try !writer.append(record(15)))
    rename(path, "\(path).old")
    try writer.append(record(16))
    #expect(times(try reader.all()) == [16])
    #expect(writer.totals?.kinds == [kind: 7])
  }

  @Test func `a torn line that was read by halves is not mixed with the next`() throws {
    try writer().append(record(10))
    var reader = JournalReader(path: path)
    let file = try #require(FileHandle(forWritingAtPath: path))
    try file.seekToEnd()
    try file.write(contentsOf: Data(#"{"time":"2026"#.utf8))
    #expect(times(try reader.all()) == [10])
    try writer().append(record(11))
    #expect(times(try reader.all()) == [11])
  }

  @Test func `a directory that can't be written is named, and tried again`() throws {
    try Data().write(to: URL(filePath: directory))
    let writer = writer()
    let error = #expect(throws: Failure.self) { try writer.append(record(10)) }
    #expect(error?.description.contains("\(directory)") == true)
    #expect(writer.obstacle != nil)
    try FileManager.default.removeItem(atPath: directory)
    #expect(writer.obstacle == nil)
    #expect(try writer.append(record(10)))
  }

  @Test func `what is appended goes to the disk when it is said to`() throws {
    for (sync, due) in [(JournalSettings.Sync.always, 0), (.never, nil)] as [(JournalSettings.Sync, UInt64?)] {
      settings.sync = sync
      let writer = writer()
      try writer.append(record(sync == .always ? 10 : 20))
      #expect(writer.syncDue == due)
    }
    settings.sync = .interval(50_000_000)
    let writer = writer()
    try writer.append(record(30))
    try writer.sync()
    #expect(writer.syncDue != nil)
    usleep(60_000)
    try writer.sync()
    #expect(writer.syncDue == nil)
  }
}
