@testable import OomletSystem
import Testing

@Suite struct CgroupTests {
  @Test(
    arguments: [
      ("0::/a/b\n", "/a/b"), ("0::/\n", "/"), ("12:memory:/m\n0::/a\n", "/a"), ("1:name=systemd:/x\r\n0::/a\n", "/a"),
      ("0::/\u{301}a\n", "/\u{301}a"), ("1:name=systemd:/0::/b\n", nil), ("12:memory:/m\n", nil), ("0::\n", nil), ("", nil),
    ] as [(String, String?)])
  func `the unified hierarchy's path is the one of line 0`(_ text: String, _ path: String?) {
    #expect(Cgroup.unifiedPath(text) == path)
  }
}
