/// The same numbers each time (xorshift).
struct Numbers: RandomNumberGenerator {
  var state: UInt64 = 0x9e37_79b9_7f4a_7c15
  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}
