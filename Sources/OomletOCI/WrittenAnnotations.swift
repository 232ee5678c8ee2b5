internal import OomletJSON
public import OomletModel

/// Annotations as somebody wrote them. What is not oomlet's may be anything, and keeps no container from starting.
public struct WrittenAnnotations: Equatable, Sendable, ExpressibleByDictionaryLiteral {
  public private(set) var values: [String: String] = [:]
  /// What is wrong with the first of oomlet's own that can't be meant, or nil; ``ExitStatus/invalid``, with key and value.
  public private(set) var fault: Failure?

  public init(_ values: [String: String] = [:]) { self.values = values }

  public init(dictionaryLiteral elements: (String, String)...) { for (key, value) in elements { add(key, value) } }

  /// Of a state or configuration; nil: it has none.
  init?(of object: [(key: String, value: LooseJSON)]) {
    for member in object where member.key == "annotations" {
      for (key, value) in member.value.members ?? [] { add(key, value.string) }
    }
    guard !isEmpty else { return nil }
  }

  public subscript(key: String) -> String? { values[key] }

  public var isEmpty: Bool { values.isEmpty && fault == nil }

  /// - Parameter value: nil: it is no text.
  mutating func add(_ key: String, _ value: String?) {
    if fault == nil, PolicyKey(key) != nil, let problem = problem(key, value) {
      fault = Failure(.invalid, "\(printable(key)): \(problem)")
    }
    if let value { values[key] = value }
  }

  private func problem(_ key: String, _ value: String?) -> String? {
    guard let value else { return "it is no string: expected a policy's name or a mapping, as a string" }
    if let before = values[key] { return "it is there twice, \(quoted(before)) and \(quoted(value)): expected it once" }
    // What JSON readers make of bytes that are no UTF-8 and of lone surrogates, the runtime's and ours
    let isBroken = value.unicodeScalars.contains("\u{FFFD}")
    return isBroken ? "\(quoted(value)) has characters that are no text: expected UTF-8" : nil
  }
}
