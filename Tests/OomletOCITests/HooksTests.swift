import Foundation
import OomletOCI
import Testing

/// What is in hooks/: podman and CRI-O ask these files whether a container is for oomlet-hook.
@Suite struct HooksTests {
  private struct Entry: Decodable {
    struct Hook: Decodable, Equatable {
      let path: String
      let args: [String]
      let timeout: Int
    }
    struct When: Decodable {
      let annotations: [String: String]
    }
    let version: String
    let hook: Hook
    let when: When
    let stages: [String]
  }

  private static func entry(_ name: String) throws -> Entry {
    let url = URL(fileURLWithPath: #filePath).appending(path: "../../../hooks/\(name)").standardized
    return try JSONDecoder().decode(Entry.self, from: Data(contentsOf: url))
  }

  @Test(arguments: [("50-oomlet.json", "createRuntime"), ("50-oomlet-poststop.json", "poststop")])
  func `an entry calls the hook for its stage`(_ name: String, _ stage: String) throws {
    let entry = try HooksTests.entry(name)
    #expect(entry.version == "1.0.0" && entry.stages == [stage])
    #expect(
      entry.hook
        == .init(path: "/usr/libexec/oci/hooks.d/oomlet-hook", args: ["oomlet-hook", "--stage", stage], timeout: 5))
  }

  /// All pairs of `when.annotations` must hold, so it is one expression for all keys.
  @Test(
    arguments: [
      "oom.policy", "oom.policy/web", "oomlet.dev/policy", "policy.oomlet.dev/web", "oom-policy", "oomXpolicy", "oom.policies",
      "my.oom.policy", "oom.policy.web", "oomlet.dev/policy/web", "policy.oomlet.dev", "io.kubernetes.pod.name", "",
    ])
  func `an entry is for the keys that oomlet reads, and for no others`(_ key: String) throws {
    for name in ["50-oomlet.json", "50-oomlet-poststop.json"] {
      let when = try HooksTests.entry(name).when.annotations
      #expect(when.count == 1)
      for (keys, values) in when {
        #expect(try key.contains(Regex(keys)) == (PolicyKey(key) != nil))
        // A value that the hook must refuse has to reach it
        #expect(try ["", "youngest", "victim: youngest\nkill: pod\n"].allSatisfy { $0.contains(try Regex(values)) })
      }
    }
  }

  /// As `ctr oci spec` prints it, as far as the recipe reads or removes anything.
  private static let specification = #"""
    {"ociVersion": "1.2.1", "process": {"args": ["sh"], "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}]}}
    """#

  @Test func `containerd's recipe adds the hooks, and leaves no limit of files behind`() throws {
    let url = URL(fileURLWithPath: #filePath).appending(path: "../../../hooks/README.md").standardized
    let recipe = try #require(
      try String(contentsOf: url, encoding: .utf8).firstMatch(of: #/ctr oci spec \| jq '([^']*)'/#)?.output.1)
    let jq = Process()
    jq.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    jq.arguments = ["jq", String(recipe)]
    let (input, output) = (Pipe(), Pipe())
    (jq.standardInput, jq.standardOutput) = (input, output)
    try jq.run()
    try input.fileHandleForWriting.write(contentsOf: Data(HooksTests.specification.utf8))
    try input.fileHandleForWriting.close()
    struct Specification: Decodable {
      let process: [String: [String]]
      let hooks: [String: [Entry.Hook]]
    }
    let made = try JSONDecoder().decode(Specification.self, from: output.fileHandleForReading.readDataToEndOfFile())
    #expect(made.process == ["args": ["sh"]])
    #expect(made.hooks.keys.sorted() == ["createRuntime", "poststop"])
    #expect(try made.hooks["poststop"] == [HooksTests.entry("50-oomlet-poststop.json").hook])
  }
}
