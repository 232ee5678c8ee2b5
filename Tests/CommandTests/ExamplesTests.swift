import Foundation
import Testing

/// What users copy must be valid.
@Suite struct ExamplesTests {
  private static let examples = URL(fileURLWithPath: #filePath).appending(path: "../../../examples").standardized

  private static let files: [String] = {
    let all = FileManager.default.enumerator(atPath: examples.path)?.compactMap { $0 as? String } ?? []
    return all.filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".json") }.sorted()
  }()

  @Test func `there is a pod for each victim rule, a configuration and a bundle`() throws {
    let tables = try run("oomlet", ["check", "--grammar-tables"]).output.components(separatedBy: "\n\n")
    let victims = try #require(tables.first { $0.contains("| victim |") }).split(separator: "\n").dropFirst(2)
    let names = victims.compactMap { $0.split(separator: "`").dropFirst().first.map(String.init) }.filter { !$0.contains("|") }
    #expect(names.count == 8)
    #expect(
      Set(ExamplesTests.files) == Set(names.map { "pods/\($0).yaml" } + ["config.yaml", "runc-bundle/config.json"]))
  }

  @Test(arguments: files) func `an example is valid, without a doubt`(_ file: String) throws {
    let result = try run("oomlet", ["check", ExamplesTests.examples.appending(path: file).path])
    #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
    #expect(!file.hasPrefix("pods/") || result.output.contains("oom.policy: \(file.dropFirst(5).dropLast(5)),"), "\(result)")
  }
}
