internal import Glibc

/// Text on stdout, all of it; false and errno if nobody reads it.
@discardableResult
public func printOut(_ text: String) -> Bool { writeAll(1, Array(text.utf8)) }

/// Text on stderr.
public func printError(_ text: String) { _ = writeAll(2, Array(text.utf8)) }

/// Rows as kubectl shows them: columns as wide as their widest cell, three spaces between.
public func table(_ rows: [[String]]) -> String {
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

/// A time span as kubectl shows it: `45s`, `5m`, `3h`, `2d`.
public func age(_ nanoseconds: Int64) -> String {
  let seconds = max(0, nanoseconds / 1_000_000_000)
  return switch seconds {
  case ..<120: "\(seconds)s"
  case ..<7200: "\(seconds / 60)m"
  case ..<172_800: "\(seconds / 3600)h"
  default: "\(seconds / 86_400)d"
  }
}
