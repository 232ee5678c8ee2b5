/// A pattern for paths: in a component `*` stands for any number of characters, `**` as a component for any number of
/// components, none as well. All other characters stand for themselves.
public struct PathGlob: Hashable, Sendable, CustomStringConvertible {
  public enum Invalid: Error, Equatable {
    case empty
    case emptyComponent
    /// `.` or `..`
    case dots
    /// `**` beside other characters.
    case starsInComponent
    case controlCharacter
    case tooDeep
  }

  private enum Component: Hashable, Sendable {
    case any
    case one(Wildcard)
  }

  /// The kernel's programs look at no more levels of cgroups.
  public static let depth = 32

  /// With a slash in front.
  public let description: String
  private let components: [Component]

  /// A slash in front changes nothing.
  public init(_ text: String) throws(Invalid) {
    // In bytes: to Swift's strings a slash is another character with a combining mark behind it
    let bytes = Array(text.utf8)
    let path = bytes.first == UInt8(ascii: "/") ? bytes[1...] : bytes[...]
    guard !path.isEmpty else { throw .empty }
    guard path.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else { throw .controlCharacter }
    let parts = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map {
      String(decoding: $0, as: UTF8.self)
    }
    guard parts.count <= PathGlob.depth else { throw .tooDeep }
    var components: [Component] = []
    for part in parts {
      switch part {
      case "": throw .emptyComponent
      case ".", "..": throw .dots
      case "**": components.append(.any)
      case _ where part.contains("**"): throw .starsInComponent
      default: components.append(.one(Wildcard(part)))
      }
    }
    self.init(components, "/" + parts.joined(separator: "/"))
  }

  private init(_ components: [Component], _ description: String) {
    (self.components, self.description) = (components, description)
  }

  /// The same below a directory, whose path has no star.
  public func below(_ directory: String) -> PathGlob {
    let parts = directory.utf8.split(separator: UInt8(ascii: "/")).map { Component.one(Wildcard(String($0)!)) }
    return PathGlob(parts + components, directory + description)
  }

  /// The directory that all it matches is in, or in one below: up to the first star.
  public var fixedDirectory: String {
    "/" + description.split(separator: "/").dropLast().prefix { !$0.contains("*") }.joined(separator: "/")
  }

  public func matches(_ path: String) -> Bool { states(path) & 1 << UInt64(components.count) != 0 }

  /// Whether something below that directory may match.
  public func reaches(into directory: String) -> Bool { states(directory) & (1 << UInt64(components.count) - 1) != 0 }

  /// Bit n: the path can be what the first n components stand for.
  private func states(_ path: String) -> UInt64 {
    var state = closed(1)
    let bytes = Array(path.utf8)
    var rest = bytes[...]
    while state != 0, let start = rest.firstIndex(where: { $0 != UInt8(ascii: "/") }) {
      let end = rest[start...].firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
      let part = rest[start..<end]
      rest = rest[end...]
      var next: UInt64 = 0
      for (i, component) in components.enumerated() where state & 1 << UInt64(i) != 0 {
        switch component {
        case .any: next |= 1 << UInt64(i)
        case .one(let pattern): if pattern.matches(part) { next |= 2 << UInt64(i) }
        }
      }
      state = closed(next)
    }
    return state
  }

  /// `**` may stand for nothing.
  private func closed(_ state: UInt64) -> UInt64 {
    var state = state
    for (i, component) in components.enumerated() where component == .any && state & 1 << UInt64(i) != 0 {
      state |= 2 << UInt64(i)
    }
    return state
  }
}
