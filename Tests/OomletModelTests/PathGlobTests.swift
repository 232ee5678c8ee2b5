import OomletModel
import Testing

@Suite struct WildcardTests {
  @Test(
    arguments: [
      ("", "", true), ("", "a", false), ("*", "", true), ("*", "abc", true), ("a", "a", true), ("a", "A", false),
      ("a*", "a", true), ("*a", "ba", true), ("*a", "ab", false), ("a*c", "abbc", true), ("a*c", "abcb", false),
      ("*ab*", "aab", true), ("*ab*", "ba", false), ("a**b", "ab", true), ("?", "a", false), ("[a]", "[a]", true),
      ("*.scope", "a.scope.scope", true), ("a*b*c", "a-b-b-c", true), ("é*", "é!", true),
    ] as [(String, String, Bool)])
  func `a star stands for any number of characters, all else for itself`(_ pattern: String, _ text: String, _ expected: Bool) {
    #expect(Wildcard(pattern).matches(text) == expected)
  }

  @Test func `many stars are no work`() {
    let pattern = String(repeating: "*a", count: 1000) + "b"
    #expect(!Wildcard(pattern).matches(String(repeating: "a", count: 4096)))
  }
}

@Suite struct PathGlobTests {
  @Test(
    arguments: [
      ("init.scope", "/init.scope", true), ("/init.scope", "/init.scope", true), ("init.scope", "/init.scope/a", false),
      ("system.slice/*", "/system.slice/a.service", true), ("system.slice/*", "/system.slice", false),
      ("system.slice/*", "/system.slice/a/b", false), ("*/a", "/x/a", true), ("a/**", "/a", true), ("a/**", "/a/b/c", true),
      ("a/**", "/ab", false), ("**/b", "/b", true), ("**/b", "/a/a/b", true), ("**/b", "/a/b/c", false),
      ("a/**/b/*.scope", "/a/b/x.scope", true), ("a/**/b/*.scope", "/a/x/y/b/x.scope", true),
      ("a/**/b/*.scope", "/a/x/y/b/c/x.scope", false), ("**/**/a", "/a", true), (#"a\x2db"#, #"/a\x2db"#, true),
      ("a/*", "/a/\u{301}b", true), ("*", "/", false),
    ] as [(String, String, Bool)])
  func `components are matched one by one`(_ pattern: String, _ path: String, _ expected: Bool) throws {
    #expect(try PathGlob(pattern).matches(path) == expected)
  }

  @Test(
    arguments: [
      ("a/b/*", "/", true), ("a/b/*", "/a", true), ("a/b/*", "/a/b", true), ("a/b/*", "/a/b/c", false), ("a/b/*", "/x", false),
      ("a/**", "/a/b/c/d", true), ("**/x", "/any/where", true), ("a", "/", true), ("a", "/a", false),
    ] as [(String, String, Bool)])
  func `it is known where a match can be`(_ pattern: String, _ directory: String, _ expected: Bool) throws {
    #expect(try PathGlob(pattern).reaches(into: directory) == expected)
  }

  @Test func `below a directory`() throws {
    let glob = try PathGlob("system.slice/*").below("/sys/fs/cgroup")
    #expect(glob.matches("/sys/fs/cgroup/system.slice/a") && !glob.matches("/system.slice/a"))
    #expect(glob.reaches(into: "/sys/fs") && !glob.reaches(into: "/sys/kernel"))
    #expect(glob.description == "/sys/fs/cgroup/system.slice/*")
  }

  @Test(
    arguments: [
      ("", .empty), ("/", .empty), ("a//b", .emptyComponent), ("a/", .emptyComponent), ("//a", .emptyComponent), ("a/./b", .dots),
      ("..", .dots), ("a**", .starsInComponent), ("a/***", .starsInComponent), ("a\nb", .controlCharacter),
      (String(repeating: "a/", count: 32) + "a", .tooDeep),
    ] as [(String, PathGlob.Invalid)])
  func `what is no pattern is refused`(_ text: String, _ why: PathGlob.Invalid) {
    #expect(throws: why) { try PathGlob(text) }
  }
}
