import Foundation
import OomletModel
import OomletPolicy
import OomletSystem
import Testing

@testable import OomletAttach

/// Parse, load, then commit: hooks' copy is replaced last.
@Suite final class NodeConfigFileTests {
  private let directory = FileManager.default.temporaryDirectory.appending(path: "oomlet-\(UUID().uuidString)").path
  private var file: String { "\(directory)/config.yaml" }
  private var copy: String { "\(directory)/copy.yaml" }
  private let old = Array("journal: {max-files: 3}\n".utf8)
  private let new = Array("journal: {max-files: 5}\n".utf8)

  init() throws {
    try makeDirectory(directory)
    try replaceFile(file, with: new)
    try replaceFile(copy, with: old)
  }
  deinit { try? FileManager.default.removeItem(atPath: directory) }

  @Test func `loaded first, then in force`() throws {
    let config = try NodeConfig.loadForNode(file, copy: copy) { config throws(Failure) in
      #expect(config.journal.maxFiles == 5)
      #expect(contents(of: copy) == old)
    }
    #expect(config.journal.maxFiles == 5 && contents(of: copy) == new)
    #expect(namesInDirectory(directory) == ["config.yaml", "copy.yaml"])
  }

  @Test func `what does not load changes nothing`() throws {
    let failure = #expect(throws: Failure.self) {
      _ = try NodeConfig.loadForNode(self.file, copy: self.copy) { _ throws(Failure) in throw Failure(.failed, "no policy") }
    }
    #expect(failure?.description == "no policy" && contents(of: copy) == old)
    #expect(namesInDirectory(directory) == ["config.yaml", "copy.yaml"])
  }

  @Test func `what is broken, or has no room for its copy, is not loaded`() throws {
    try replaceFile(file, with: Array("jurnal: {}".utf8))
    #expect(throws: Failure.self) {
      _ = try NodeConfig.loadForNode(self.file, copy: self.copy) { _ throws(Failure) in Issue.record("loaded") }
    }
    #expect(contents(of: copy) == old)
    try replaceFile(file, with: new)
    #expect(throws: Failure.self) {
      _ = try NodeConfig.loadForNode(self.file, copy: "\(self.directory)/none/copy.yaml") { _ throws(Failure) in
        Issue.record("loaded")
      }
    }
  }
}
