import Foundation
import OomletSystem
import Testing

@testable import OomletAgent

/// A directory of its own, below one that is watched for its coming.
private final class Scratch {
  let parent = FileManager.default.temporaryDirectory.appending(path: "oomlet-\(UUID().uuidString)").path
  var path: String { "\(parent)/oomlet" }

  init() throws { try makeDirectory(path) }
  deinit { try? FileManager.default.removeItem(atPath: parent) }

  func write(_ name: String, _ text: String) throws {
    guard let file = openFile("\(path)/\(name)", O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644), writeAll(file.raw, Array(text.utf8))
    else { throw POSIXError(.EIO) }
  }
}

@Suite struct ConfigWatchTests {
  private let scratch: Scratch
  private let watch: ConfigWatch

  init() throws {
    scratch = try Scratch()
    watch = ConfigWatch(scratch.path)
  }

  /// Whether a change is seen, once it is quiet.
  private func sees() -> Bool {
    watch.handleEvents()
    return watch.isChanged(now: .max)
  }

  @Test func `nothing has changed at first`() {
    #expect(!sees() && watch.deadline == nil)
  }

  @Test func `written in place, by rename, removed: each is one change`() throws {
    try scratch.write("config.yaml", "{}")
    #expect(sees() && !sees())
    try replaceFile("\(scratch.path)/config.yaml", with: [])
    #expect(sees() && !sees())
    unlink("\(scratch.path)/config.yaml")
    #expect(sees() && !sees())
  }

  @Test func `the swap of a ConfigMap's link is a change, an editor's own file is none`() throws {
    symlink("..2026", "\(scratch.path)/..data_tmp")
    #expect(!sees())
    rename("\(scratch.path)/..data_tmp", "\(scratch.path)/..data")
    #expect(sees())
    for name in [".config.yaml.swp", "config.yaml~"] { try scratch.write(name, "") }
    #expect(!sees())
  }

  @Test func `policies and the directory itself may come later, and go`() throws {
    try makeDirectory("\(scratch.path)/policies")
    #expect(sees())
    try scratch.write("policies/growth.bpf.o", "")
    #expect(sees())
    try FileManager.default.removeItem(atPath: scratch.path)
    #expect(sees())
    try makeDirectory(scratch.path)
    #expect(sees())
    try scratch.write("config.yaml", "{}")
    #expect(sees())
  }

  @Test func `it waits until there is quiet, but not for ever`() throws {
    try scratch.write("config.yaml", "{}")
    watch.handleEvents()
    let first = try #require(watch.deadline)
    #expect(!watch.isChanged(now: first - 1))
    for _ in 0..<100 { try scratch.write("config.yaml", "{}") }
    watch.handleEvents()
    let later = try #require(watch.deadline)
    #expect(later >= first && later <= first + ConfigWatch.longest)
    #expect(watch.isChanged(now: later))
  }
}
