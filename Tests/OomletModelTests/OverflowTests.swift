import OomletModel
import Testing

/// Strangers' numbers at the end of 64 bits, which must not trap.
@Suite struct OverflowTests {
  @Test(arguments: ["18446744073709551.999B", "1844674407370955161.9B", "18446744073709551616B", "16777216Ti"])
  func `a size beyond 64 bits is none`(_ text: String) {
    #expect(Quantity.size(text) == nil)
  }

  @Test(arguments: ["1844674407370955161.9s", "18446744073709551.999ms"])
  func `a duration beyond 64 bits is none`(_ text: String) {
    #expect(Quantity.duration(text) == nil)
  }

  @Test func `a percentage beyond 64 bits is none`() {
    #expect(Quantity.permille("1844674407370955161.9%") == nil)
  }

  @Test func `a victim whose memory does not fit into 64 bits still has a sentence`() {
    var record = KillRecord.example()
    record.victim?.memory = .init(anon: .max, file: .max, shmem: .max)
    #expect(record.sentence.contains("killed worker"))
  }
}
