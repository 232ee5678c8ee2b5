/// A pattern for a text: `*` stands for any number of characters, all others for themselves.
public struct Wildcard: Hashable, Sendable, CustomStringConvertible {
  public let description: String
  private let pattern: [UInt8]

  public init(_ text: String) {
    description = text
    pattern = Array(text.utf8)
  }

  public func matches(_ text: String) -> Bool { matches(Array(text.utf8)[...]) }

  func matches(_ text: ArraySlice<UInt8>) -> Bool {
    var (at, next) = (text.startIndex, 0)
    // Where to go on after the last star when the rest does not fit: never further back, so long patterns stay cheap
    var retry: (at: Int, next: Int)?
    while at < text.endIndex {
      if next < pattern.count, pattern[next] == UInt8(ascii: "*") {
        retry = (at, next + 1)
        next += 1
      } else if next < pattern.count, pattern[next] == text[at] {
        (at, next) = (at + 1, next + 1)
      } else if let (last, after) = retry {
        retry = (last + 1, after)
        (at, next) = (last + 1, after)
      } else {
        return false
      }
    }
    return pattern[next...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}
