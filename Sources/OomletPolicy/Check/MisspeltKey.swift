internal import OomletModel
internal import OomletOCI

extension PolicyKey {
  /// The key that an annotation's was most likely meant to be; nil: it is one, or has nothing to do with oomlet.
  static func meant(by text: String) -> PolicyKey? {
    guard PolicyKey(text) == nil, text.utf8.count <= 317 else { return nil }
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2 else {
      if isNear(text, name) { return PolicyKey() }
      return afterSeparator(text, name).map { PolicyKey(container: $0) }
    }
    let (prefix, rest) = (parts[0], parts[1])
    if isNear(prefix, name) { return PolicyKey(container: rest) }
    if isNear(prefix, "policy.oomlet.dev") { return PolicyKey(container: rest, isAlias: true) }
    guard isNear(prefix, "oomlet.dev") else { return nil }
    if isNear(rest, "policy") { return PolicyKey(isAlias: true) }
    return afterSeparator(rest, "policy").map { PolicyKey(container: $0, isAlias: true) }
  }

  /// Near, and with the same first letter: `app.policy` is somebody else's.
  private static func isNear(_ text: String, _ word: String) -> Bool {
    let text = text.lowercased()
    return text.first == word.first && nearestSpelling(to: text, among: [word]) != nil
  }

  /// `web` of `oom.policy.web` or `oom-policy_web`.
  private static func afterSeparator(_ text: String, _ word: String) -> String? {
    let head = String(text.prefix(word.count))
    let tail = text.dropFirst(word.count)
    guard let separator = tail.first, ".-_:/".contains(separator), tail.count > 1, isNear(head, word) else { return nil }
    return String(tail.dropFirst())
  }
}
