public import CoreMetrics
internal import Synchronization

/// Only ever up.
final class CounterSeries: CounterHandler {
  private let count = Mutex<Int64>(0)

  var value: Int64 { count.withLock { $0 } }

  func increment(by amount: Int64) { count.withLock { $0 &+= max(0, amount) } }
  func reset() { count.withLock { $0 = 0 } }
}

/// Up and down.
final class GaugeSeries: MeterHandler, RecorderHandler {
  private let number = Mutex<Double>(0)

  var value: Double { number.withLock { $0 } }

  func set(_ value: Int64) { set(Double(value)) }
  func set(_ value: Double) { number.withLock { $0 = value } }
  func increment(by amount: Double) { number.withLock { $0 += amount } }
  func decrement(by amount: Double) { number.withLock { $0 -= amount } }
  func record(_ value: Int64) { set(value) }
  func record(_ value: Double) { set(value) }
}

/// How long something took, and how often.
public final class HistogramSeries: TimerHandler {
  struct Counts: Sendable {
    /// Up to each bound and above the one before it; the last: above all.
    var buckets: [UInt64]
    var nanoseconds: UInt64 = 0
  }

  let bounds: [UInt64]
  private let counts: Mutex<Counts>

  init(bounds: [UInt64]) {
    self.bounds = bounds
    counts = Mutex(Counts(buckets: [UInt64](repeating: 0, count: bounds.count + 1)))
  }

  var value: Counts { counts.withLock { $0 } }

  public func recordNanoseconds(_ duration: Int64) {
    let duration = UInt64(max(0, duration))
    counts.withLock { counts in
      counts.buckets[bounds.firstIndex { duration <= $0 } ?? bounds.count] &+= 1
      counts.nanoseconds &+= duration
    }
  }

  /// Adds what was recorded in an earlier life; `buckets` as the bounds are, and one more for those above all.
  public func add(buckets: [UInt64], nanoseconds: UInt64) {
    counts.withLock { counts in
      for (i, count) in buckets.prefix(counts.buckets.count).enumerated() { counts.buckets[i] &+= count }
      counts.nanoseconds &+= nanoseconds
    }
  }
}
