import Foundation
import Testing

@testable import OomletPolicy

/// The keys whose tables are written by hand; those of docs/policy.md and docs/config.md are made from the grammar (CommandTests).
@Suite struct ConfigDocumentTests {
  private static func document(_ name: String) throws -> String {
    try String(contentsOf: URL(fileURLWithPath: #filePath).appending(path: "../../../docs/\(name)").standardized, encoding: .utf8)
  }

  @Test func `journal.md and metrics.md have each key of the service, and no other`() throws {
    let rows = try ["journal.md", "metrics.md"].flatMap { name in
      try #require(try ConfigDocumentTests.document(name).components(separatedBy: "\n| key |").last)
        .components(separatedBy: "\n\n")[0].matches(of: #/\n\| `([a-z.-]+)` \|/#).map { String($0.output.1) }
    }
    let keys = [
      ("journal", NodeConfig.journalKeys), ("kernel", NodeConfig.kernelKeys), ("metrics", NodeConfig.metricsKeys),
    ]
    #expect(rows.sorted() == keys.flatMap { name, below in below.map { "\(name).\($0)" } }.sorted())
  }

  @Test func `config.md says where each key is described`() throws {
    let document = try ConfigDocumentTests.document("config.md")
    for key in NodeConfig.keys {
      #expect(document.contains("\n## \(key): ") || document.contains("`\(key)` "), "\(key)")
    }
  }
}
