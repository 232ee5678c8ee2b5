/// The name of a policy, as an annotation gives it: 1 to 63 of `a-z`, `0-9` and `-`, starting and ending with a letter
/// or digit. Never a path.
public struct PolicyName: Hashable, Sendable, CustomStringConvertible {
  public let description: String

  public init?(_ text: String) {
    let bytes = Array(text.utf8)
    let isAlphanumeric = { (byte: UInt8) in (97...122).contains(byte) || (48...57).contains(byte) }
    guard (1...63).contains(bytes.count), bytes.allSatisfy({ isAlphanumeric($0) || $0 == UInt8(ascii: "-") }),
      isAlphanumeric(bytes[0]), isAlphanumeric(bytes[bytes.count - 1])
    else { return nil }
    description = text
  }
}
