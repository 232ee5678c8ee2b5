/// The candidate that `text` was most likely meant to be, or nil if none is close: at most one edit for each three
/// characters, and two edits at least.
public func nearestSpelling(to text: String, among candidates: [String]) -> String? {
  // Untrusted text may be long; nothing that long is a misspelling
  guard text.utf8.count <= 64 else { return nil }
  func limit(_ candidate: String) -> Int { max(2, candidate.utf8.count / 3) }
  // Nor may many be slow: what differs too much in length needs no look
  let close = candidates.filter { abs($0.utf8.count - text.utf8.count) <= limit($0) }
    .map { (candidate: $0, distance: editDistance(text, $0)) }
    .min { ($0.distance, $0.candidate) < ($1.distance, $1.candidate) }
  guard let close, close.distance <= limit(close.candidate) else { return nil }
  return close.candidate
}

/// Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment distance), in bytes.
func editDistance(_ a: String, _ b: String) -> Int {
  let a = Array(a.utf8)
  let b = Array(b.utf8)
  var rows = [[Int]](repeating: [Int](repeating: 0, count: b.count + 1), count: a.count + 1)
  for i in 0...a.count { rows[i][0] = i }
  for j in 0...b.count { rows[0][j] = j }
  for i in 0..<a.count {
    for j in 0..<b.count {
      var best = min(rows[i][j + 1] + 1, rows[i + 1][j] + 1, rows[i][j] + (a[i] == b[j] ? 0 : 1))
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, rows[i - 1][j - 1] + 1) }
      rows[i + 1][j + 1] = best
    }
  }
  return rows[a.count][b.count]
}
