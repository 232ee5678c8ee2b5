import Foundation
import OomletJSON
import OomletJournal
import OomletModel
import Testing

@testable import OomletAgent

/// What the documents list is what there is: all of it, and nothing else.
@Suite struct DocumentTests {
  private static func document(_ name: String) throws -> String {
    try String(contentsOf: URL(fileURLWithPath: #filePath).appending(path: "../../../docs/\(name)").standardized, encoding: .utf8)
  }

  /// The rows of the table whose first column has that head, without head and rule.
  private static func table(_ head: String, in name: String) throws -> [[String]] {
    let section = try #require(try document(name).components(separatedBy: "\n| \(head) |").dropFirst().first)
    return section.components(separatedBy: "\n\n")[0].split(separator: "\n").dropFirst(2).map {
      $0.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
    }
  }

  /// What stands in backticks.
  private static func words(in text: String) -> [String] { text.matches(of: #/`([^`]+)`/#).map { String($0.output.1) } }

  private static func members(_ json: JSON?) -> [String] { json?.members?.map(\.key) ?? [] }

  // MARK: agent.md

  @Test func `agent.md has each reason for being degraded`() throws {
    let reasons = try DocumentTests.table("reason", in: "agent.md").flatMap { DocumentTests.words(in: $0[0]) }
    #expect(reasons.sorted() == Degradation.allCases.map(\.rawValue).sorted())
  }

  @Test func `agent.md has each check of doctor`() throws {
    let source = try String(
      contentsOf: URL(fileURLWithPath: #filePath).appending(path: "../../../Sources/OomletAgent/Doctor.swift").standardized,
      encoding: .utf8)
    // They are named where they are made, and nowhere else
    let made = source.matches(of: #/\b(?:ok|warn|fail)\(\s*"([a-z-]+)"/#).map { String($0.output.1) }
    let checks = try DocumentTests.table("check", in: "agent.md").flatMap { DocumentTests.words(in: $0[0]) }
    #expect(checks.sorted() == Set(made).sorted())
  }

  @Test func `agent.md has the answer to status`() throws {
    let document = try DocumentTests.document("agent.md")
    let block = try #require(document.firstMatch(of: #/```json\n(\{"result".*?)\n```/#.dotMatchesNewlines())?.output.1)
    let shown = try #require(try JSON(parsing: Array(block.utf8))["result"])
    let state = AgentState()
    state.set(.psi, "message")
    let made = state.json(relief: [])
    #expect(DocumentTests.members(shown) == DocumentTests.members(made))
    for key in ["config", "journal"] { #expect(DocumentTests.members(shown[key]) == DocumentTests.members(made[key])) }
    #expect(DocumentTests.members(shown["degraded"]?.array?.first) == DocumentTests.members(made["degraded"]?.array?.first))
  }

  // MARK: kernels.md

  @Test func `kernels.md has a column for each tier, the best first`() throws {
    let rows = try DocumentTests.document("kernels.md").split(separator: "\n").filter { $0.hasPrefix("| | ") }
    #expect(rows.count == 1)
    #expect(DocumentTests.words(in: String(rows[0])) == Tier.allCases.map(\.rawValue))
  }

  // MARK: metrics.md

  @Test func `metrics.md has each metric, with its type and labels`() throws {
    let rows = try DocumentTests.table("name", in: "metrics.md")
    let telemetry = try Telemetry { [] }
    telemetry.set(limits: [], ofSystem: nil)
    telemetry.set(tier: .bpfOOM)
    telemetry.set(ReloadState())
    telemetry.set(ring: nil, lost: 0)
    telemetry.set(attached: 0)
    telemetry.measureProcess()
    var shown: Set<String> = []
    for row in rows {
      for name in DocumentTests.words(in: row[0]) {
        #expect(shown.insert(name).inserted, "\(name) twice")
        #expect(telemetry.text.contains("# TYPE \(name) \(row[1])\n"), "\(name) is no \(row[1])")
        let series = try #require(
          telemetry.text.split(separator: "\n").first { $0.contains(try! Regex("^\(name)(_bucket)?[ {]")) })
        let labels = series.matches(of: #/([a-z]+)="/#).map { String($0.output.1) }.filter { $0 != "le" }
        #expect(labels == DocumentTests.words(in: row[2]), "\(name)")
      }
    }
    #expect(shown == Set(Metrics.families.map(\.name)))
  }

  // MARK: records.md, relief.md

  private static let container = KillRecord.Container(id: "i", name: "n", pod: "p", namespace: "s", cgroup: "/c", usage: 1)

  private static let record: KillRecord = {
    let process = KillRecord.Process(pid: 1, comm: "c", uid: 0, oomScoreAdj: 0, startTime: 0, memory: .init())
    var record = KillRecord(
      time: 1, bootTime: 1, bootID: "boot", trigger: .limit, level: .pod, policy: "youngest", outcome: .killed,
      container: container,
      comparison: .init(
        containers: 2, order: [.usage], decidedBy: .cause, chosen: .init(), next: container, nextValues: .init()),
      limitCgroup: "/c", pressure: .init(kind: .some, permille: 1, limitPermille: 1, held: 1), victim: process,
      runnerUp: process, candidates: 2, usage: 1, limit: 1, decisionNanoseconds: 1)
    record.charged = .init()
    return record
  }()

  @Test func `records.md has each member of a record, and of what is in it`() throws {
    let json = DocumentTests.record.json
    let rows = try DocumentTests.table("name", in: "records.md")
    #expect(rows.flatMap { DocumentTests.words(in: $0[0]) }.sorted() == DocumentTests.members(json).sorted())
    for (name, members) in try #require(json.members) where members.members != nil && name != "compared" {
      let row = try #require(rows.first { DocumentTests.words(in: $0[0]).contains(name) })
      for member in DocumentTests.members(members) {
        #expect(DocumentTests.words(in: row[1]).contains(member), "\(name).\(member)")
      }
    }
  }

  @Test func `records.md has each member of a comparison`() throws {
    let compared = try #require(DocumentTests.record.json["compared"])
    let section = try #require(try DocumentTests.document("records.md").components(separatedBy: "`compared` has").last)
    let rows = section.components(separatedBy: "\n\n")[1].split(separator: "\n").dropFirst(2).map { $0.split(separator: "|") }
    let own = rows.flatMap { DocumentTests.words(in: String($0[0])) }
    // A row says two of them itself
    #expect(Set(own).union(["next_cgroup", "next_usage_bytes"]) == Set(DocumentTests.members(compared)))
    let values = try #require(rows.first { $0[0].contains("`values`") })
    for member in DocumentTests.members(compared["values"]) {
      #expect(DocumentTests.words(in: String(values[1])).contains(member), "values.\(member)")
    }
  }

  @Test func `records.md has each value of a closed set`() throws {
    let rows = try DocumentTests.table("name", in: "records.md")
    func of(_ name: String) -> [String] {
      rows.first { DocumentTests.words(in: $0[0]).contains(name) }.map { DocumentTests.words(in: $0[1]) } ?? []
    }
    #expect(of("trigger") == KillRecord.Trigger.allCases.map(\.rawValue))
    #expect(of("level") == KillRecord.Level.allCases.map(\.rawValue))
    #expect(of("outcome") == KillRecord.Outcome.allCases.map(\.rawValue))
    #expect(Set(of("victim_class")).isSuperset(of: KillRecord.Class.allCases.map(\.rawValue)))
    let notes = try #require(
      try DocumentTests.document("records.md").firstMatch(of: #/\nNotes: (.*?)\n\n/#.dotMatchesNewlines())?.output.1)
    let named = notes.matches(of: #/(?:^|· |·\n)`([a-z-]+)`/#).map { String($0.output.1) }
    #expect(named.sorted() == KillRecord.Notes.all.map(\.name).sorted())
  }

  @Test func `relief.md has each member of a record, and each outcome`() throws {
    let stage = ReliefStage(.reclaim(1), from: 1, deadline: 1)
    let record = ReliefRecord(
      time: 1, container: DocumentTests.container, isForNode: false, stage: stage, number: 1, permille: 1, kind: .some,
      outcome: .done, process: (1, "c"))
    let rows = try DocumentTests.table("member", in: "relief.md")
    #expect(rows.flatMap { DocumentTests.words(in: $0[0]) }.sorted() == DocumentTests.members(record.json).sorted())
    for name in ["pressure", "process"] {
      let row = try #require(rows.first { DocumentTests.words(in: $0[0]) == [name] })
      #expect(DocumentTests.words(in: row[1]) == DocumentTests.members(record.json[name]))
    }
    let outcomes = try #require(rows.first { DocumentTests.words(in: $0[0]) == ["outcome"] })
    #expect(DocumentTests.words(in: outcomes[1]).sorted() == ReliefRecord.Outcome.allCases.map(\.rawValue).sorted())
    let stages = try DocumentTests.table("stage", in: "relief.md").flatMap { DocumentTests.words(in: $0[0]) }
    #expect(stages == ReliefStage.Kind.allCases.map(\.rawValue))
  }
}
