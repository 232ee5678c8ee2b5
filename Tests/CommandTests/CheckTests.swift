import Foundation
import Testing

private func check(_ text: String, _ arguments: [String] = ["-"]) throws -> Outcome {
  try run("oomlet", ["check"] + arguments, input: Array(text.utf8))
}

private final class Scratch {
  let path = FileManager.default.temporaryDirectory.appending(path: "oomlet-\(UUID().uuidString)").path
  init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String, _ text: String) throws -> String {
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
    return "\(path)/\(name)"
  }
}

private let pod = """
  apiVersion: v1
  kind: Pod
  metadata:
    name: shop
    annotations:
      oom.policy: largest-rss
      oom.polcy: youngest
      oom.policy/web: |
        victim: largest-rss
        priority: 5

  """

@Suite struct CheckTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  @Test func `what is valid is a sentence on stdout, doubts are on stderr, status 0`() throws {
    let path = try scratch.file("pod.yaml", pod + "spec: {containers: [{name: web}]}\n")
    let result = try check("", [path])
    #expect(result.status == 0)
    #expect(
      result.output == """
        \(path): Pod shop: oom.policy: largest-rss, kill process
        \(path): Pod shop: oom.policy/web: largest-rss, kill process, priority 5

        """)
    #expect(
      result.errors == """
        \(path):7:5: warning: Pod shop: oom.polcy: oomlet does not read this key; did you mean "oom.policy"?
        \(path):8:21: warning: Pod shop: oom.policy/web: priority 5 is capped to 0: this node allows -1000000000 to 0

        """)
  }

  @Test func `what is invalid is on stderr alone, status 3`() throws {
    let result = try check(pod.replacing("largest-rss\n", with: "largest-rs\n") + "spec: {containers: [{name: db}]}\n")
    #expect(result.status == 3 && result.output.isEmpty)
    let lines = result.errors.split(separator: "\n")
    #expect(
      lines.map { $0.prefix { $0 != " " } } == ["stdin:6:17:", "stdin:7:5:", "stdin:8:5:", "stdin:9:15:"])
    #expect(lines[0].hasSuffix("; did you mean \"largest-rss\"?"))
    #expect(lines[2].contains("the pod has no container \"web\": expected db"))
  }

  @Test(
    arguments: [
      ("kill: pod", 0), ("kill: pods", 3), ("", 3), ("{\"ociVersion\": \"1.0\"}", 0), ("{\"ociVersion\": \"1.0\",}", 3),
      ("apiVersion: v1\nkind: Service", 0), ("metric: {}", 3),
    ] as [(String, Int32)])
  func `stdin is checked as any file`(_ text: String, _ status: Int32) throws {
    let result = try check(text)
    #expect(result.status == status && result.output.isEmpty == (status != 0) && result.errors.isEmpty == (status == 0))
  }

  @Test func `JSON has all of it, and nothing else is printed`() throws {
    let result = try check(pod + "spec: {containers: [{name: db}]}\n", ["-", "-o", "json"])
    #expect(result.status == 3 && result.errors.isEmpty)
    let json = try #require(JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: [[String: Any]]])
    #expect(json["items"]?.count == 2)
    let item = try #require(json["items"]?.last)
    #expect(item["kind"] as? String == "Pod" && item["name"] as? String == "shop" && item["key"] as? String == "oom.policy/web")
    #expect(item["value"] as? String == "victim: largest-rss\npriority: 5\n")
    #expect(item["summary"] as? String == "largest-rss, kill process, priority 5")
    let problem = try #require(json["problems"]?.first)
    #expect(problem["file"] as? String == "stdin" && problem["line"] as? Int == 8 && problem["column"] as? Int == 5)
    #expect((problem["message"] as? String)?.contains("no container \"web\"") == true)
    #expect(json["warnings"]?.count == 2)
  }

  @Test func `strangers' bytes do not reach the terminal, in either form`() throws {
    let text = pod.replacing("shop", with: "\"\\e[31m\\u202e\\x9b\\U000E0001\"").replacing("largest-rss\n", with: "\"\\u202e\"\n")
    for arguments in [["-"], ["-", "-o", "json"]] {
      for text in [text, pod.replacing("shop", with: "\"\\e[31m\\u202e\\U000E0001\"")] {
        let result = try check(text, arguments)
        let shown = (result.output + result.errors).unicodeScalars
        #expect(!shown.isEmpty)
        #expect(!shown.contains { $0 != "\n" && [.control, .format].contains($0.properties.generalCategory) }, "\(result)")
      }
    }
    let result = try check(pod.replacing("shop", with: "\"\\e[31m\\u202e\\U000E0001\""), ["-", "-o", "json"])
    let json = try #require(JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: [[String: Any]]])
    #expect(json["items"]?.first?["name"] as? String == "\u{1b}[31m\u{202e}\u{E0001}")
  }

  @Test func `a file that is not there is 7, one that can't be read is 1, no file is 2`() throws {
    let missing = try check("", ["/nonexistent/pod.yaml"])
    #expect(missing.status == 7 && missing.output.isEmpty)
    #expect(missing.errors == "oomlet: cannot read /nonexistent/pod.yaml: No such file or directory\n")
    #expect(try check("", ["/proc/self/mem"]).status == 1)
    for arguments in [[], ["-", "-o", "yaml"], ["--custom"], ["-", "--custom-policy", "x"]] {
      let result = try check("", arguments)
      #expect(result.status == 2 && result.output.isEmpty && result.errors.contains("rror"), "\(arguments)")
    }
    #expect(try check("youngest", ["-", "--custom-policies", "/nonexistent"]).status == 7)
  }

  @Test func `several files and directories are checked at once`() throws {
    let containers = "spec: {containers: [{name: web}]}\n"
    try FileManager.default.createDirectory(atPath: "\(scratch.path)/d/deep/.git", withIntermediateDirectories: true)
    let one = try scratch.file("one.yaml", pod + containers)
    _ = try scratch.file("d/b.yml", "apiVersion: v1\nkind: Pod\nmetadata: {name: b, annotations: {oom.policy: oldest}}\n")
    _ = try scratch.file("d/a.json", #"{"title": "Overview", "annotations": {"list": []}, "panels": []}"#)
    _ = try scratch.file("d/notes.txt", "kill: pods")
    _ = try scratch.file("d/values.yaml", "image: nginx\nkill: yes\n")
    _ = try scratch.file("d/deep/.git/x.yaml", "apiVersion: v1\nkind: [")
    try FileManager.default.createSymbolicLink(atPath: "\(scratch.path)/d/deep/loop", withDestinationPath: "..")
    let fine = try check("", ["\(scratch.path)/d/", one])
    #expect(fine.status == 0, "\(fine)")
    #expect(
      fine.output.split(separator: "\n").map { $0.dropFirst(scratch.path.utf8.count + 1) } == [
        "d/a.json: file of others: nothing for oomlet in it", "d/b.yml: Pod b: oom.policy: oldest, kill process",
        "d/values.yaml: file of others: nothing for oomlet in it", "one.yaml: Pod shop: oom.policy: largest-rss, kill process",
        "one.yaml: Pod shop: oom.policy/web: largest-rss, kill process, priority 5",
      ])

    _ = try scratch.file("d/deep/c.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {annotations: {oom.policy: odlest}}\n")
    let wrong = try check("", ["\(scratch.path)/d", one])
    #expect(
      wrong.status == 3 && wrong.errors.hasPrefix("\(scratch.path)/d/deep/c.yaml:3:38: Pod: oom.policy: \"odlest\""), "\(wrong)")
    #expect(wrong.output.contains("one.yaml: Pod shop"))

    let missing = try check("kill: pod", ["/nonexistent", "-", "\(scratch.path)/d/deep/.git/.."])
    #expect(missing.status == 7 && missing.output == "stdin: annotation value: largest-memory, kill pod\n", "\(missing)")
    #expect(missing.errors.contains("cannot read /nonexistent") && missing.errors.contains("c.yaml:3:38"))

    let json = try check("", ["\(scratch.path)/d", one, "-o", "json"])
    let lists = try #require(JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: [[String: Any]]])
    #expect(lists["items"]?.last?["file"] as? String == one && lists["problems"]?.count == 1)
  }

  @Test func `a directory without a file to check is 7`() throws {
    let result = try check("", [scratch.path])
    #expect(result.status == 7 && result.errors == "oomlet: no .yaml, .yml or .json file in directory \(scratch.path)\n")
  }

  @Test func `a custom policy is one if its file is in the directory`() throws {
    let unknown = try check("victim: growth", ["-", "--custom-policies", scratch.path])
    #expect(unknown.status == 3 && unknown.errors.hasPrefix("stdin:1:9: annotation value: victim: \"growth\" is no policy"))
    for name in ["growth.bpf.o", "youngest.bpf.o", "pod.bpf.o", "Bad_.bpf.o", "other.o"] { _ = try scratch.file(name, "") }
    let known = try check("victim: growth", ["-", "--custom-policies", scratch.path])
    #expect(known.status == 0 && known.output == "stdin: annotation value: growth, kill process\n")
    let misspelt = try check("victim: grwoth", ["-", "--custom-policies", scratch.path])
    #expect(misspelt.errors.hasSuffix("kernel or growth; did you mean \"growth\"?\n"), "\(misspelt.errors)")
  }

  @Test func `a whole cluster's manifests are checked in little time`() throws {
    let all = (0..<2000).map { _ in pod + "spec: {containers: [{name: web}, {name: db}]}\n" }.joined(separator: "---\n")
    let start = ContinuousClock.now
    #expect(try check(all).status == 0)
    #expect(ContinuousClock.now - start < .seconds(60))
  }
}

/// docs/policy.md and docs/config.md are what users read: they must be true. Tests/Recipes checks their examples.
@Suite struct PolicyDocumentTests {
  private static let document = ["policy.md", "config.md"].map { name in
    try! String(
      contentsOf: URL(fileURLWithPath: #filePath).appending(path: "../../../docs/\(name)").standardized, encoding: .utf8)
  }.joined(separator: "\n")

  @Test func `its tables are the grammar's`() throws {
    let tables = try run("oomlet", ["check", "--grammar-tables"]).output.components(separatedBy: "\n\n")
    #expect(tables.count == 13)
    for table in tables {
      #expect(PolicyDocumentTests.document.contains(table.trimmingCharacters(in: .newlines)), "\(table)")
    }
    #expect(PolicyDocumentTests.document.components(separatedBy: "<!-- table: ").count == 14)
  }
}
