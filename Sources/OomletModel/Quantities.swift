/// Sizes, durations and shares as people write them. Always with a unit, so that nobody has to guess.
public enum Quantity {
  static let sizeUnits: [(suffix: String, bytes: UInt64)] = [
    ("Ki", 1 << 10), ("Mi", 1 << 20), ("Gi", 1 << 30), ("Ti", 1 << 40),
    ("k", 1000), ("M", 1_000_000), ("G", 1_000_000_000), ("T", 1_000_000_000_000), ("B", 1),
  ]
  static let durationUnits: [(suffix: String, nanoseconds: UInt64)] = [
    ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000),
  ]

  public static let sizeForm = "a size such as 64Mi (B, Ki, Mi, Gi, Ti, k, M, G, T)"
  public static let durationForm = "a duration such as 20s (ms, s, m, h)"
  public static let percentageForm = "a percentage such as 40%"

  /// Bytes of `64Mi`, `1.5G`, `512B`; nil if it is none.
  public static func size(_ text: String) -> UInt64? { scaled(text, sizeUnits.map { ($0.suffix, $0.bytes) }) }

  /// ns of `20s`, `1.5m`, `500ms`; nil if it is none.
  public static func duration(_ text: String) -> UInt64? {
    scaled(text, durationUnits.map { ($0.suffix, $0.nanoseconds) })
  }

  /// Thousandths of `40%`, `12.5%`; nil if it is none or below 0 or above 100.
  public static func permille(_ text: String) -> UInt32? {
    guard let value = scaled(text, [("%", 10)]), value <= 1000 else { return nil }
    return UInt32(value)
  }

  /// Digits with at most 3 after a point, then one of the units. No sign, no space.
  private static func scaled(_ text: String, _ units: [(suffix: String, factor: UInt64)]) -> UInt64? {
    guard let unit = units.first(where: { text.hasSuffix($0.suffix) }) else { return nil }
    let parts = text.dropLast(unit.suffix.count).split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), let whole = digits(parts[0]) else { return nil }
    guard parts.count == 2 else {
      let (product, overflow) = whole.multipliedReportingOverflow(by: unit.factor)
      return overflow ? nil : product
    }
    guard (1...3).contains(parts[1].utf8.count), let rest = digits(parts[1]) else { return nil }
    let scale: UInt64 = [1, 10, 100, 1000][parts[1].utf8.count]
    let (high, overflow) = whole.multipliedReportingOverflow(by: scale)
    let (sum, carry) = high.addingReportingOverflow(rest)
    guard !overflow, !carry else { return nil }
    let (product, overflows) = sum.multipliedReportingOverflow(by: unit.factor)
    guard !overflows, product % scale == 0 || unit.factor >= scale else { return nil }
    return product / scale
  }

  private static func digits(_ text: Substring) -> UInt64? {
    guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
    return UInt64(text)
  }
}
