public import CoreMetrics
internal import Synchronization

/// Collects the series of a fixed set of families, and shows them in Prometheus' text format.
///
/// A series of no family, or of a family of another kind, goes nowhere: what is shown is decided here.
public final class PrometheusRegistry: MetricsFactory {
  /// For ``text()``.
  public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  private enum Series: Sendable {
    case counter(CounterSeries)
    case gauge(GaugeSeries)
    case histogram(HistogramSeries)
  }

  private let families: [MetricFamily]
  /// By family, then by labels as they are shown.
  private let series = Mutex<[String: [String: Series]]>([:])

  public init(_ families: [MetricFamily]) { self.families = families }

  /// The series, made if there is none yet; nil if there is no family of that name and kind.
  private func find(_ name: String, _ labels: [(String, String)], _ kind: String) -> Series? {
    guard let family = families.first(where: { $0.name == name && $0.kind.name == kind }) else { return nil }
    let key = labels.map { "\($0)=\"\(escaped($1, quotes: true))\"" }.joined(separator: ",")
    return series.withLock { series in
      if let found = series[name]?[key] { return found }
      let made: Series =
        switch family.kind {
        case .counter: .counter(CounterSeries())
        case .gauge: .gauge(GaugeSeries())
        case .histogram(let bounds): .histogram(HistogramSeries(bounds: bounds))
        }
      series[name, default: [:]][key] = made
      return made
    }
  }

  public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    if case .counter(let series)? = find(label, dimensions, "counter") { series } else { NOOPMetricsHandler.instance }
  }

  public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    if case .gauge(let series)? = find(label, dimensions, "gauge") { series } else { NOOPMetricsHandler.instance }
  }

  public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
    if case .gauge(let series)? = find(label, dimensions, "gauge") { series } else { NOOPMetricsHandler.instance }
  }

  public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    histogram(label, dimensions) ?? NOOPMetricsHandler.instance
  }

  /// What a timer of that name records to; nil: there is no such histogram.
  public func histogram(_ name: String, _ labels: [(String, String)] = []) -> HistogramSeries? {
    if case .histogram(let series)? = find(name, labels, "histogram") { series } else { nil }
  }

  // Series stay: a counter that went and came again would begin anew
  public func destroyCounter(_: any CounterHandler) {}
  public func destroyMeter(_: any MeterHandler) {}
  public func destroyRecorder(_: any RecorderHandler) {}
  public func destroyTimer(_: any TimerHandler) {}

  /// All families that have a series, in the order in which they were given (text format 0.0.4).
  public func text() -> String {
    let series = series.withLock { $0 }
    var text = ""
    for family in families {
      guard let members = series[family.name] else { continue }
      text += "# HELP \(family.name) \(escaped(family.help, quotes: false))\n# TYPE \(family.name) \(family.kind.name)\n"
      for (labels, series) in members.sorted(by: { $0.key < $1.key }) { text += lines(family.name, labels, series) }
    }
    return text
  }

  private func lines(_ name: String, _ labels: String, _ series: Series) -> String {
    func line(_ suffix: String, _ more: String?, _ value: String) -> String {
      let all = [labels, more ?? ""].filter { !$0.isEmpty }.joined(separator: ",")
      return "\(name)\(suffix)\(all.isEmpty ? "" : "{\(all)}") \(value)\n"
    }
    switch series {
    case .counter(let counter): return line("", nil, "\(counter.value)")
    case .gauge(let gauge): return line("", nil, number(gauge.value))
    case .histogram(let histogram):
      let counts = histogram.value
      var text = ""
      var sum: UInt64 = 0
      for (i, count) in counts.buckets.enumerated() {
        sum &+= count
        let bound = i < histogram.bounds.count ? number(Double(histogram.bounds[i]) / 1e9) : "+Inf"
        text += line("_bucket", "le=\"\(bound)\"", "\(sum)")
      }
      return text + line("_sum", nil, number(Double(counts.nanoseconds) / 1e9)) + line("_count", nil, "\(sum)")
    }
  }
}

/// As short as it is exact; whole numbers without fraction.
private func number(_ value: Double) -> String {
  if let whole = Int64(exactly: value) { return "\(whole)" }
  return value.isNaN ? "NaN" : value.isInfinite ? (value < 0 ? "-Inf" : "+Inf") : "\(value)"
}

private func escaped(_ text: String, quotes: Bool) -> String {
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\\": result += "\\\\"
    case "\n": result += "\\n"
    case "\"" where quotes: result += "\\\""
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}
