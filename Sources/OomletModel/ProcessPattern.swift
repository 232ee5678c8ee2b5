/// Which processes `protect` and `prefer` mean.
public enum ProcessPattern: Hashable, Sendable, CustomStringConvertible {
  /// The container's PID 1.
  case initProcess
  /// The process's comm, with `*` for any number of characters.
  case comm(CommPattern)

  /// How many of each kind a policy may have.
  public static let limit = 8

  public var description: String {
    switch self {
    case .initProcess: "init"
    case .comm(let pattern): pattern.description
    }
  }
}

/// A pattern for the 15 bytes that the kernel keeps of a process's name (proc_pid_comm(5)).
public struct CommPattern: Hashable, Sendable, CustomStringConvertible {
  public let description: String
  /// The bytes other than `*`, 0 to 15.
  public let literals: [UInt8]
  /// Bit n: a `*` follows n literals.
  public let stars: UInt32

  public enum Invalid: Error, Equatable {
    case empty
    /// More bytes than a comm can have.
    case tooLong
    case controlCharacter
  }

  public init(_ text: String) throws(Invalid) {
    guard !text.isEmpty else { throw .empty }
    var literals: [UInt8] = []
    var stars: UInt32 = 0
    for byte in text.utf8 {
      if byte == UInt8(ascii: "*") {
        stars |= 1 << UInt32(literals.count)
        continue
      }
      guard byte >= 0x20, byte != 0x7f else { throw .controlCharacter }
      guard literals.count < 15 else { throw .tooLong }
      literals.append(byte)
    }
    (description, self.literals, self.stars) = (text, literals, stars)
  }

  /// As the kernel side does it (`oomlet_matches()`): all states of the match at once, a bit each.
  public func matches(_ comm: [UInt8]) -> Bool {
    var state: UInt32 = 1
    for byte in comm.prefix(15) {
      var equal: UInt32 = 0
      for (i, literal) in literals.enumerated() where literal == byte { equal |= 1 << UInt32(i) }
      state = (state & equal) << 1 | state & stars
    }
    return state & 1 << UInt32(literals.count) != 0
  }
}
