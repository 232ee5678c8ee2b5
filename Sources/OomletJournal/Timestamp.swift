internal import Glibc

/// RFC 3339 in UTC with microseconds, of ns since the epoch: `2026-11-23T10:15:02.123456Z`.
public func timestamp(_ nanoseconds: Int64) -> String {
  var (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
  if rest < 0 { (seconds, rest) = (seconds - 1, rest + 1_000_000_000) }
  var time = time_t(seconds)
  var fields = tm()
  gmtime_r(&time, &fields)
  func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
  let date = "\(padded(Int(fields.tm_year) + 1900, 4))-\(padded(Int(fields.tm_mon) + 1, 2))-\(padded(Int(fields.tm_mday), 2))"
  let clock = "\(padded(Int(fields.tm_hour), 2)):\(padded(Int(fields.tm_min), 2)):\(padded(Int(fields.tm_sec), 2))"
  return "\(date)T\(clock).\(padded(Int(rest / 1000), 6))Z"
}

/// ns since the epoch of what ``timestamp(_:)`` made; nil for anything else.
public func nanoseconds(fromTimestamp text: String) -> Int64? {
  let bytes = Array(text.utf8)
  let pattern = Array("0000-00-00T00:00:00.000000Z".utf8)
  guard bytes.count == pattern.count else { return nil }
  for (byte, expected) in zip(bytes, pattern) {
    let isDigit = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    guard expected == UInt8(ascii: "0") ? isDigit : byte == expected else { return nil }
  }
  func number(_ range: Range<Int>) -> Int { bytes[range].reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) } }
  var fields = tm()
  fields.tm_year = CInt(number(0..<4) - 1900)
  fields.tm_mon = CInt(number(5..<7) - 1)
  fields.tm_mday = CInt(number(8..<10))
  fields.tm_hour = CInt(number(11..<13))
  fields.tm_min = CInt(number(14..<16))
  fields.tm_sec = CInt(number(17..<19))
  // Years that 64 bits of ns don't reach
  let (seconds, overflow) = Int64(timegm(&fields)).multipliedReportingOverflow(by: 1_000_000_000)
  let (time, overflows) = seconds.addingReportingOverflow(Int64(number(20..<26)) * 1000)
  return overflow || overflows ? nil : time
}
