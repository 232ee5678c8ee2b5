import Foundation
import OomletJournal
import OomletModel
import Testing

@testable import OomletAgent

private func record(_ i: Int, _ policy: String = "largest-rss", _ outcome: KillRecord.Outcome = .killed) -> KillRecord {
  KillRecord(
    time: Int64(i), bootTime: UInt64(i), bootID: "boot", trigger: .limit, level: .container, policy: policy, outcome: outcome,
    container: .init(id: "id-\(i)", name: "name-\(i)", pod: "pod-\(i)", namespace: "ns-\(i)", cgroup: "/c\(i)", usage: 0),
    limitCgroup: "/c\(i)", victim: nil, runnerUp: nil, candidates: 1, usage: 1, limit: 1, decisionNanoseconds: UInt64(i) * 1000)
}

@Suite struct TelemetryTests {
  private func series(_ telemetry: Telemetry) -> [String] {
    telemetry.text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
  }

  @Test func `records of 5,000 containers make no series of their own`() throws {
    let telemetry = try Telemetry { ["growth"] }
    let before = series(telemetry).count
    var names = ["largest-rss", "growth", "none"]
    for i in 0..<5000 {
      // Also policies that the node does not have
      telemetry.kept(record(i, i % 5 < 3 ? names[i % 5] : "stranger-\(i)"))
    }
    #expect(series(telemetry).count == before + 2)
    names = series(telemetry).filter { $0.hasPrefix("oomlet_kills_total") && !$0.hasSuffix(" 0") }
    func line(_ policy: String, _ count: Int) -> String {
      "oomlet_kills_total{policy=\"\(policy)\",trigger=\"limit\",level=\"container\",outcome=\"killed\"} \(count)"
    }
    #expect(names == [line("growth", 1000), line("largest-rss", 1000), line("none", 1000), line("other", 2000)])
    #expect(series(telemetry).contains("oomlet_decision_seconds_count 5000"))
    for word in ["id-", "name-", "pod-", "ns-", "/c", "stranger"] { #expect(!telemetry.text.contains(word)) }
  }

  @Test func `counters go on from what the journal knew`() throws {
    var totals = JournalTotals()
    for i in 1...7 { totals.add(record(i)) }
    let telemetry = try Telemetry { [] }
    telemetry.add(totals)
    telemetry.kept(record(8))
    #expect(
      series(telemetry).contains(
        #"oomlet_kills_total{policy="largest-rss",trigger="limit",level="container",outcome="killed"} 8"#))
    #expect(series(telemetry).contains("oomlet_decision_seconds_count 8"))
    #expect(series(telemetry).contains("oomlet_decision_seconds_sum 3.6e-05"))
  }

  @Test func `a stamp of any time makes no trap`() throws {
    let telemetry = try Telemetry { [] }
    telemetry.set(ring: nil, lost: .max)
    telemetry.set(rotations: .max)
    telemetry.kept(record(1))
    #expect(telemetry.text.contains("oomlet_kill_records_lost_total"))
  }

  @Test func `who asks very often does not keep the loop from its work`() throws {
    let telemetry = try Telemetry { [] }
    let address = ListenAddress.unix(path: "/tmp/oomlet-\(UUID().uuidString).sock")
    try telemetry.offer(at: address)
    defer { telemetry.stop() }
    var (reports, measurements) = (0, 0)
    let clients = Process()
    clients.executableURL = URL(filePath: "/usr/bin/env")
    clients.arguments = [
      "bash", "-c",
      "for i in {1..40}; do curl -s --unix-socket \(address.description.dropFirst(5)) http://x/metrics; done >/dev/null",
    ]
    try clients.run()
    var waiting = [pollfd(fd: telemetry.pollDescriptor, events: Int16(POLLIN), revents: 0)]
    while clients.isRunning {
      guard poll(&waiting, 1, 50) > 0 else { continue }
      telemetry.answer {
        reports += 1
      } measure: {
        measurements += 1
        usleep(50_000)
      }
    }
    #expect(clients.terminationStatus == 0 && reports >= 40)
    #expect(measurements >= 1 && measurements <= reports / 4, "\(measurements) of \(reports)")
  }

  @Test func `what was lost only grows`() throws {
    let telemetry = try Telemetry { [] }
    for lost: UInt64 in [5, 5, 9] { telemetry.set(ring: nil, lost: lost) }
    #expect(series(telemetry).contains("oomlet_kill_records_lost_total 9"))
  }

  @Test func `promtool finds nothing to complain of`() throws {
    let telemetry = try Telemetry { ["growth"] }
    for (i, outcome) in KillRecord.Outcome.allCases.enumerated() { telemetry.kept(record(i, "growth", outcome)) }
    telemetry.set(ReloadState())
    telemetry.set(tier: .bpfOOM)
    telemetry.set(ring: nil, lost: 0)
    telemetry.set(attached: 2)
    telemetry.set(limits: [], ofSystem: nil)
    telemetry.measureProcess()
    for family in Metrics.families { #expect(telemetry.text.contains("# TYPE \(family.name) "), "\(family.name) is never set") }

    let promtool = Process()
    promtool.executableURL = URL(filePath: "/usr/bin/promtool")
    promtool.arguments = ["check", "metrics"]
    let (input, output) = (Pipe(), Pipe())
    (promtool.standardInput, promtool.standardOutput, promtool.standardError) = (input, output, output)
    try promtool.run()
    try input.fileHandleForWriting.write(contentsOf: Data(telemetry.text.utf8))
    try input.fileHandleForWriting.close()
    let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    promtool.waitUntilExit()
    #expect(promtool.terminationStatus == 0)
    #expect(said == "")
  }
}
