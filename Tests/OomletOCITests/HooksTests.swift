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

  /// What a pod's runtime gets of it is in scenario recipes.
  @Test func `containerd's recipe takes the limits out of ctr's specification, adds the hooks, and changes nothing else`() throws
  {
    let url = URL(fileURLWithPath: #filePath).appending(path: "../../../hooks/README.md").standardized
    let recipe = try #require(
      try String(contentsOf: url, encoding: .utf8).firstMatch(of: #/ctr oci spec \| jq '[^']*'/#)?.output)
    func specification(_ command: String) throws -> [String: Any] {
      let shell = Process()
      shell.executableURL = URL(fileURLWithPath: "/bin/bash")
      shell.arguments = ["-c", command]
      let output = Pipe()
      shell.standardOutput = output
      try shell.run()
      return try #require(
        try JSONSerialization.jsonObject(with: output.fileHandleForReading.readDataToEndOfFile()) as? [String: Any])
    }
    var (made, expected) = (try specification(String(recipe)), try specification("ctr oci spec"))
    let hooks = try #require(made.removeValue(forKey: "hooks") as? [String: [NSDictionary]])
    var process = try #require(expected["process"] as? [String: Any])
    #expect(process.removeValue(forKey: "rlimits") != nil)
    expected["process"] = process
    #expect(made as NSDictionary == expected as NSDictionary)
    #expect(hooks.keys.sorted() == ["createRuntime", "poststop"])
    for (stage, those) in hooks {
      let hook = try HooksTests.entry(stage == "poststop" ? "50-oomlet-poststop.json" : "50-oomlet.json").hook
      #expect(those == [["path": hook.path, "args": hook.args, "timeout": hook.timeout] as NSDictionary])
    }
  }
}
