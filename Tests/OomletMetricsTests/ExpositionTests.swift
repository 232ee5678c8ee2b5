import CoreMetrics
import OomletMetrics
import Testing

@Suite struct ExpositionTests {
  private let registry = PrometheusRegistry([
    .init("test_kills_total", .counter, "Kills,\nof \\ kinds."), .init("test_attached", .gauge, "Attached."),
    .init("test_seconds", .histogram(bounds: [1000, 1_000_000]), "Time."), .init("test_unused", .gauge, "Never set."),
  ])

  private var lines: [String] { registry.text().split(separator: "\n").map(String.init) }

  @Test func `families come in their order, with help and type, series sorted`() {
    Meter(label: "test_attached", factory: registry).set(3)
    Counter(label: "test_kills_total", dimensions: [("policy", "b")], factory: registry).increment()
    Counter(label: "test_kills_total", dimensions: [("policy", "a")], factory: registry).increment(by: 2)
    #expect(
      lines == [
        #"# HELP test_kills_total Kills,\nof \\ kinds."#, "# TYPE test_kills_total counter", #"test_kills_total{policy="a"} 2"#,
        #"test_kills_total{policy="b"} 1"#, "# HELP test_attached Attached.", "# TYPE test_attached gauge", "test_attached 3",
      ])
  }

  @Test func `a label's value may be any text`() {
    Counter(label: "test_kills_total", dimensions: [("policy", "a\"b\\c\nd")], factory: registry).increment()
    #expect(lines.last == #"test_kills_total{policy="a\"b\\c\nd"} 1"#)
  }

  @Test func `the same labels are the same series`() {
    for _ in 1...3 { Counter(label: "test_kills_total", dimensions: [("policy", "a")], factory: registry).increment() }
    #expect(lines.last == #"test_kills_total{policy="a"} 3"#)
  }

  @Test func `buckets hold all that is not above them, in seconds`() {
    let timer = Timer(label: "test_seconds", dimensions: [], factory: registry)
    for duration: Int64 in [1, 1000, 1001, 5_000_000] { timer.recordNanoseconds(duration) }
    registry.histogram("test_seconds")?.add(buckets: [0, 10, 1], nanoseconds: 1_000_000_000)
    #expect(
      Array(lines.dropFirst(2)) == [
        #"test_seconds_bucket{le="1e-06"} 2"#, #"test_seconds_bucket{le="0.001"} 13"#, #"test_seconds_bucket{le="+Inf"} 15"#,
        "test_seconds_sum 1.005002002", "test_seconds_count 15",
      ])
  }

  @Test(arguments: [(0.5, "0.5"), (-1, "-1"), (1e15, "1000000000000000"), (.infinity, "+Inf"), (.nan, "NaN")])
  func `numbers are as Prometheus reads them`(_ value: Double, _ text: String) {
    Meter(label: "test_attached", factory: registry).set(value)
    #expect(lines.last == "test_attached \(text)")
  }

  @Test func `what is of no family, or of another kind, goes nowhere`() {
    Counter(label: "test_unknown_total", factory: registry).increment()
    Counter(label: "test_attached", factory: registry).increment()
    Meter(label: "test_kills_total", factory: registry).set(7)
    #expect(lines.isEmpty)
  }
}
