import Foundation
import Testing

/// What the hook does without a kernel's help: nothing, and nothing keeps a container from starting.
@Suite struct HookTests {
  private static let odd: [(name: String, members: [UInt8])] = [
    ("duplicate keys", Array(#""a": "b", "a": "c""#.utf8)), ("Latin 1", [34, 97, 34, 58, 34, 0xE9, 34]),
    ("a lone surrogate", Array(#""a": "\ud800""#.utf8)), ("no string", Array(#""a": {"b": [1, null]}"#.utf8)),
    ("no annotations", []),
  ]

  private func state(_ members: [UInt8], bundle: String = "/nonexistent", annotations: Bool = true) -> [UInt8] {
    let head = Array(#"{"id":"x","status":"creating","pid":1,"bundle":"\#(bundle)""#.utf8)
    return head
      + (annotations
        ? Array(#","annotations":{"x":"y","#.utf8) + (members.isEmpty ? Array(#""z":"""#.utf8) : members) + [125] : [])
      + [125]
  }

  @Test(arguments: odd.map(\.name)) func `who asks for nothing starts`(_ name: String) throws {
    let members = try #require(HookTests.odd.first { $0.name == name }?.members)
    let result = try run("oomlet-hook", ["--stage", "createRuntime"], input: state(members))
    #expect(result.status == 0 && result.errors.isEmpty && result.output.isEmpty, "\(result)")
  }

  @Test(arguments: odd.map(\.name)) func `so it is if the annotations are in the bundle only`(_ name: String) throws {
    let members = try #require(HookTests.odd.first { $0.name == name }?.members)
    let bundle = FileManager.default.temporaryDirectory.appending(path: "oomlet-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: bundle, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: bundle) }
    try Data(
      Array("{".utf8) + members + (members.isEmpty ? [] : [44]) + Array(#""annotations": {"#.utf8) + members + Array("}}".utf8)
    )
    .write(to: bundle.appending(path: "config.json"))
    let result = try run("oomlet-hook", [], input: state([], bundle: bundle.path, annotations: false))
    #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
  }

  @Test func `a typo for a pause container is nobody's`() throws {
    for policy in [#""oom.policy": "yougnest""#, #""oom.policy": 7"#, #""oom.policy": "a", "oomlet.dev/policy": "b""#] {
      let pause = #""io.kubernetes.cri.container-type": "sandbox", \#(policy)"#
      let result = try run("oomlet-hook", [], input: state(Array(pause.utf8)))
      #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
    }
  }
}
