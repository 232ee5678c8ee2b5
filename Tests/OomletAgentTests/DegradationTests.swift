import Foundation
import OomletAgent
import Testing

@Suite struct DegradationTests {
  @Test func `docs/agent.md has each reason, and no other`() throws {
    let url = URL(fileURLWithPath: #filePath).appending(path: "../../../docs/agent.md").standardized
    let section = try #require(try String(contentsOf: url, encoding: .utf8).components(separatedBy: "| reason |").last)
    let table = section.components(separatedBy: "\n\n")[0]
    let reasons = table.matches(of: #/\n\| `([a-z-]+)` \|/#).map { String($0.output.1) }
    #expect(reasons.sorted() == Degradation.allCases.map(\.rawValue).sorted())
  }
}
