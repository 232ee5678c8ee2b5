import Foundation
import Testing

/// A block between fences of a document: what its kind promises is tried.
private struct Block: CustomTestStringConvertible {
  let document: String
  /// From 1.
  let line: Int
  let kind: String
  let text: String

  var testDescription: String { "\(document):\(line) (\(kind))" }
}

/// What users copy from the documents works. Recipes in `sh` are run by the scenario `recipes`.
@Suite struct RecipeTests {
  private static let root = URL(fileURLWithPath: #filePath).appending(path: "../../..").standardized

  private static let documents: [String] = {
    let all = FileManager.default.enumerator(atPath: root.path)?.compactMap { $0 as? String } ?? []
    return all.filter { path in
      path.hasSuffix(".md") && ["README.md", "docs/", "hooks/", "manifests/", "examples/"].contains { path.hasPrefix($0) }
    }.sorted()
  }()

  /// What is in no scenario, and why.
  private static let elsewhere = [
    "sh build": "what CI and Tests/Packaging/run do",
    "sh cluster": "NOT RUN HERE: there is no cluster; Tests/Packaging/run validates the manifests and pods",
  ]
  private static let known = Set(
    ["sh", "yaml", "yaml invalid", "json", "toml", "promql", "console", "text"] + RecipeTests.elsewhere.keys)

  private static let blocks = documents.flatMap { document in
    var blocks: [Block] = []
    var open: (line: Int, kind: String, text: [Substring])?
    let text = (try? String(contentsOf: root.appending(path: document), encoding: .utf8)) ?? ""
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      if let block = open, line == "```" {
        blocks.append(
          Block(document: document, line: block.line, kind: block.kind, text: block.text.map { $0 + "\n" }.joined()))
        open = nil
      } else if open != nil {
        open?.text.append(line)
      } else if line.hasPrefix("```") {
        open = (number + 1, String(line.dropFirst(3)), [])
      } else if line.hasPrefix("    ") {
        blocks.append(Block(document: document, line: number + 1, kind: "indented", text: String(line)))
      }
    }
    if let open { blocks.append(Block(document: document, line: open.line, kind: "without end", text: "")) }
    return blocks
  }

  private static func blocks(_ kinds: String...) -> [Block] { blocks.filter { kinds.contains($0.kind) } }

  private func pipe(_ text: String, into command: String...) throws -> Outcome {
    try run("/usr/bin/env", command, input: Array(text.utf8))
  }

  @Test func `each block has a kind, and each kind is there`() {
    for block in RecipeTests.blocks { #expect(RecipeTests.known.contains(block.kind), "\(block.testDescription)") }
    #expect(Set(RecipeTests.blocks.map(\.kind)) == RecipeTests.known)
    #expect(RecipeTests.blocks("yaml").count > 10 && RecipeTests.blocks("yaml invalid").count > 2)
    for block in RecipeTests.blocks {
      if let reason = RecipeTests.elsewhere[block.kind] { print("\(block.testDescription): \(reason)") }
    }
  }

  @Test(arguments: blocks("yaml", "yaml invalid")) private func `oomlet check says of YAML what the document does`(_ block: Block)
    throws
  {
    let result = try run("oomlet", ["check", "-"], input: Array(block.text.utf8))
    #expect(result.status == (block.kind == "yaml" ? 0 : 3), "\(result)")
    #expect(block.kind == "yaml invalid" || result.errors.isEmpty, "\(result)")
  }

  @Test(arguments: blocks("json")) private func `JSON is JSON`(_ block: Block) throws {
    #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(block.text.utf8)) }
  }

  @Test(arguments: blocks("toml")) private func `TOML is TOML`(_ block: Block) throws {
    let result = try pipe(block.text, into: "python3", "-c", "import sys, tomllib; tomllib.load(sys.stdin.buffer)")
    #expect(result.status == 0, "\(result)")
  }

  @Test(arguments: blocks("promql")) private func `Prometheus takes the expressions`(_ block: Block) throws {
    let rules = block.text.split(separator: "\n").filter { !$0.hasPrefix("#") }.enumerated().map { number, expression in
      ["record": "rule:\(number)", "expr": String(expression)]
    }
    #expect(rules.count > 1)
    let file = FileManager.default.temporaryDirectory.appending(path: "oomlet-rules-\(UUID().uuidString).json")
    defer { try? FileManager.default.removeItem(at: file) }
    try JSONSerialization.data(withJSONObject: ["groups": [["name": "g", "rules": rules]]]).write(to: file)
    let result = try pipe("", into: "promtool", "check", "rules", file.path)
    #expect(result.status == 0, "\(result)")
  }

  @Test(arguments: blocks("sh", "sh build", "sh cluster")) private func `a shell takes it`(_ block: Block) throws {
    let result = try pipe(block.text, into: "bash", "-n")
    #expect(result.status == 0, "\(result)")
  }
}
