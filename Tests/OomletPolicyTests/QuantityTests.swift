import OomletModel
import Testing

@Suite struct QuantityTests {
  @Test(
    arguments: [
      ("0B", 0), ("512B", 512), ("1Ki", 1024), ("64Mi", 64 << 20), ("1.5Gi", 3 << 29), ("2Ti", 2 << 40), ("1k", 1000),
      ("1.001M", 1_001_000), ("3G", 3_000_000_000), ("1T", 1_000_000_000_000), ("1.0B", 1), ("0.5Ki", 512), ("007Mi", 7 << 20),
      ("18446744073709551615B", .max), ("16777215Ti", 16_777_215 << 40),
    ] as [(String, UInt64)])
  func `a size has a unit`(_ text: String, _ bytes: UInt64) {
    #expect(Quantity.size(text) == bytes)
  }

  @Test(arguments: [
    "", "512", "0", "+5Mi", "-5Mi", " 5Mi", "5 Mi", "5Mi ", "5mi", "5MiB", "5K", "5m", "Mi", ".5Mi", "5.Mi", "1.2345Gi",
    "1.5.5Gi",
    "1e3Mi", "0x5Mi", "1_000Mi", "1,5Mi", "1.5B", "18446744073709551616B", "16777216Ti", "18446744073709551.999B",
    "18014398509481984Ki", "99999999999999999999Mi", "٥Mi", "５Mi", "1\u{212a}i", "1Ki\u{301}", "1\u{200b}Ki", "5Mi\0", "inf",
    "nanB",
  ])
  func `anything else is no size`(_ text: String) {
    #expect(Quantity.size(text) == nil)
  }

  @Test(
    arguments: [
      ("0s", 0), ("20s", 20_000_000_000), ("500ms", 500_000_000), ("1.5m", 90_000_000_000), ("24h", 86_400_000_000_000),
      ("0.001s", 1_000_000), ("0.001ms", 1000),
    ] as [(String, UInt64)])
  func `a duration has a unit`(_ text: String, _ nanoseconds: UInt64) {
    #expect(Quantity.duration(text) == nanoseconds)
  }

  @Test(arguments: ["", "20", "s", "20 s", "-1s", "20S", "20sec", "1d", "1h30m", "1.5.s", "9999999999999h", "20us"])
  func `anything else is no duration`(_ text: String) {
    #expect(Quantity.duration(text) == nil)
  }

  @Test(
    arguments: [("0%", 0), ("40%", 400), ("12.5%", 125), ("12.500%", 125), ("100%", 1000), ("100.0%", 1000)] as [(String, UInt32)]
  )
  func `a share is at most 100 per cent`(_ text: String, _ permille: UInt32) {
    #expect(Quantity.permille(text) == permille)
  }

  @Test(arguments: [
    "", "%", "40", "0.4", "101%", "100.1%", "-1%", "12.34%", "40 %", "40%%", "1844674407370955161%", "18446744073709551615%",
  ])
  func `anything else is no share`(_ text: String) {
    #expect(Quantity.permille(text) == nil)
  }
}
