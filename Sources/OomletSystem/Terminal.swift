internal import Glibc
public import OomletModel

/// Text on stdout, all of it, each line printable.
///
/// - Throws: ``ExitStatus/failed``: what nobody gets is no success.
public func printOut(_ text: String) throws(Failure) { try writeOut(printable(lines: text)) }

/// oomlet's own text on stdout, as it is.
public func writeOut(_ text: String) throws(Failure) {
  guard writeAll(1, Array(text.utf8)) else { throw Failure(.failed, systemError("cannot write to stdout")) }
}

/// Text on stderr, each line printable.
public func printError(_ text: String) { _ = writeAll(2, Array(printable(lines: text).utf8)) }

/// Rows as kubectl shows them: columns as wide as their widest cell, three spaces between; a cell stays on its line.
public func table(_ rows: [[String]]) -> String {
  let rows = rows.map { $0.map { printable($0, limit: .max) } }
  var widths: [Int] = []
  for row in rows {
    for (i, cell) in row.enumerated() {
      if i == widths.count { widths.append(0) }
      widths[i] = max(widths[i], cell.count)
    }
  }
  return rows.map { row in
    var line = ""
    for (i, cell) in row.enumerated() {
      line += i == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[i] - cell.count + 3)
    }
    return line + "\n"
  }.joined()
}

/// `1 container`, `2 containers`.
public func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

/// `1 policy`, `2 policies`.
public func count(_ number: Int, _ one: String, _ many: String) -> String { "\(number) \(number == 1 ? one : many)" }

/// How long ago that was; 0 where it is ahead: clocks jump, and some begin in 1970.
public func elapsed<Time: FixedWidthInteger>(since time: Time, now: Time) -> UInt64 {
  now > time ? UInt64(truncatingIfNeeded: now &- time) : 0
}

/// A time span, in ns, as kubectl shows it: `45s`, `5m`, `3h`, `2d`.
public func age(_ nanoseconds: UInt64) -> String { age(seconds: nanoseconds / 1_000_000_000) }

/// As ``age(_:)``.
public func age(seconds: UInt64) -> String {
  switch seconds {
  case ..<120: "\(seconds)s"
  case ..<7200: "\(seconds / 60)m"
  case ..<172_800: "\(seconds / 3600)h"
  default: "\(seconds / 86_400)d"
  }
}
