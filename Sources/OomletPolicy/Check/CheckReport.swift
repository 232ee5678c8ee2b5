public import OomletModel

/// What a check of a text came to.
public struct CheckReport: Equatable, Sendable {
  /// A thing that was checked.
  public struct Item: Equatable, Sendable {
    /// What it was taken for: `annotation value`, `OCI configuration`, an object's kind.
    public let kind: String
    /// Of the object, or "".
    public let name: String
    /// Of the annotation, or nil.
    public let key: String?
    /// The annotation's value, or nil.
    public let value: String?
    /// What it means.
    public let summary: String
    /// nil: nothing is asked for.
    public let request: PolicyRequest?

    /// Where in the object the annotation is, if not where everybody looks for it.
    public var place: String?

    /// On one line, safe for a terminal.
    public var description: String {
      let annotation = key.map { printable($0) + (place.map { " in \($0)" } ?? "") }
      return [subject(kind, name), annotation, summary].compactMap { $0 }.joined(separator: ": ")
    }
  }

  public private(set) var items: [Item] = []
  private var found: [Problem] = []
  private var doubtful: [Problem] = []

  /// In the order of the text.
  public var problems: [Problem] { found.sorted(by: Problem.stands) }
  /// What is not wrong, but probably not meant. In the order of the text.
  public var warnings: [Problem] { doubtful.sorted(by: Problem.stands) }

  /// How much has been said.
  var count: Int { items.count + found.count }

  mutating func add(_ item: Item) { items.append(item) }
  mutating func add(_ problem: Problem) { found.append(problem.inText) }
  mutating func warn(_ problem: Problem) { doubtful.append(problem.inText) }
}

/// `Pod shop`
func subject(_ kind: String, _ name: String) -> String {
  let kind = printable(kind, limit: 63)
  return name.isEmpty ? kind : "\(kind) \(printable(name, limit: 253))"
}

extension Problem {
  /// A text as a whole is at its beginning.
  fileprivate var inText: Problem { line == 0 ? Problem(line: 1, column: 1, message: message) : self }

  fileprivate static func stands(_ a: Problem, before b: Problem) -> Bool { (a.line, a.column) < (b.line, b.column) }
}
