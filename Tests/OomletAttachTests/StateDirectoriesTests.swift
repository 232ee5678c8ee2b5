import Foundation
import OomletAttach
import OomletSystem
import Testing

@Suite struct StateDirectoriesTests {
  private let root = FileManager.default.temporaryDirectory.appending(path: "oomlet-\(UUID().uuidString)").path

  private func make(_ paths: String...) throws {
    for path in paths { try makeDirectory("\(root)/\(path)") }
  }

  /// As good as mounted: another way to the same directory.
  private func mount(_ path: String) throws {
    try FileManager.default.createSymbolicLink(atPath: "\(root)/here/\(path)", withDestinationPath: "\(root)/node/\(path)")
  }

  @Test func `what the node has must be seen: all of it, whichever it is`() throws {
    defer { try? FileManager.default.removeItem(atPath: root) }
    try make("node/run/containerd/runc", "node/run/crun", "here/run/containerd")
    let directories = StateDirectories(node: "\(root)/node", here: "\(root)/here")
    #expect(directories.seen == [])
    #expect(directories.problem?.description.contains("the node's /run/crun, /run/containerd/runc can't be seen here") == true)
    try mount("run/crun")
    #expect(directories.problem?.description.contains("the node's /run/containerd/runc can't be seen here") == true)
    try mount("run/containerd/runc")
    #expect(directories.problem == nil)
    #expect(directories.seen == ["/run/crun", "/run/containerd/runc"])
  }

  @Test func `another directory of the same name is not the node's`() throws {
    defer { try? FileManager.default.removeItem(atPath: root) }
    try make("node/run/runc", "here/run/runc")
    #expect(StateDirectories(node: "\(root)/node", here: "\(root)/here").problem != nil)
  }

  @Test func `a node without any has nothing that could be missing`() throws {
    defer { try? FileManager.default.removeItem(atPath: root) }
    try make("node/run", "here/run/runc")
    #expect(StateDirectories(node: "\(root)/node", here: "\(root)/node").problem == nil)
    #expect(StateDirectories(node: "\(root)/node", here: "\(root)/here").problem == nil)
  }

  @Test func `where the node can't be looked at, one that is seen is enough`() throws {
    defer { try? FileManager.default.removeItem(atPath: root) }
    try make("none/run", "one/run/runc")
    #expect(StateDirectories(node: "\(root)/hidden", here: "\(root)/none").problem != nil)
    #expect(StateDirectories(node: "\(root)/hidden", here: "\(root)/one").problem == nil)
  }
}
