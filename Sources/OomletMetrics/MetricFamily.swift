/// All series of one name: what Prometheus is told about them, and how they are collected.
public struct MetricFamily: Sendable {
  public enum Kind: Sendable {
    case counter
    case gauge
    /// Of durations, in seconds; upper bounds in ns, ascending.
    case histogram(bounds: [UInt64])

    var name: String {
      switch self {
      case .counter: "counter"
      case .gauge: "gauge"
      case .histogram: "histogram"
      }
    }
  }

  public let name: String
  public let kind: Kind
  /// One sentence.
  public let help: String

  public init(_ name: String, _ kind: Kind, _ help: String) { (self.name, self.kind, self.help) = (name, kind, help) }
}
