import Foundation
import OomletModel
import OomletSystem
import Testing

@Suite struct PathWatchTests {
  private let directory: String

  init() throws {
    directory = FileManager.default.temporaryDirectory.appending(path: "oomlet-\(UUID().uuidString)").path
    try makeDirectory(directory)
  }

  private func file(_ name: String) throws { try replaceFile("\(directory)/\(name)", with: []) }

  /// All there has been until the path is among them, without the watched directory in front.
  private func changes(_ watch: PathWatch, until name: String) -> [String] {
    let end = monotonicNanoseconds() + 5_000_000_000
    var all: [String] = []
    while !all.contains(name), monotonicNanoseconds() < end {
      all += watch.changes().map { String($0.dropFirst(directory.count + 1)) }
    }
    return all
  }

  @Test func `what is there and what comes is told, wherever it can match`() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try makeDirectory("\(directory)/a/one")
    try file("a/one/state")
    try file("other")
    let watch = PathWatch()
    let glob = try PathGlob("*/*/state").below(directory)
    #expect(watch.watch([glob]) == ["\(directory)/a/one/state"])
    // Made faster than a directory can be watched
    try makeDirectory("\(directory)/b/two")
    try file("b/two/state")
    #expect(Set(changes(watch, until: "b/two/state")) == ["b/two/state"])
    unlink("\(directory)/b/two/state")
    #expect(changes(watch, until: "b/two/state").contains("b/two/state"))
    try FileManager.default.removeItem(atPath: "\(directory)/b")
    try makeDirectory("\(directory)/b/two")
    try file("b/two/state")
    #expect(changes(watch, until: "b/two/state").contains("b/two/state"))
  }

  @Test func `other patterns take the place of the ones before`() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let watch = PathWatch()
    _ = watch.watch([try PathGlob("a/*").below(directory)])
    #expect(watch.watch([try PathGlob("b").below(directory)]) == [])
    try makeDirectory("\(directory)/a/x")
    try file("b")
    #expect(changes(watch, until: "b") == ["b"])
  }

  @Test func `more directories than it may watch are looked at again`() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    for name in ["a", "b", "c"] { try makeDirectory("\(directory)/\(name)") }
    let depth = directory.split(separator: "/").count
    let watch = PathWatch(limit: depth + 2)
    let glob = try PathGlob("**/state").below(directory)
    #expect(watch.watch([glob]) == [])
    #expect(watch.problem?.description.contains("more than \(depth + 2) directories") == true)
    try file("a/state")
    try file("c/state")
    #expect(Set(changes(watch, until: "a/state")) == ["a/state"])
    #expect(watch.lookAgain() == ["\(directory)/a/state", "\(directory)/c/state"])
    for name in ["b", "c"] { try FileManager.default.removeItem(atPath: "\(directory)/\(name)") }
    _ = watch.changes()
    #expect(watch.lookAgain() == ["\(directory)/a/state"])
    #expect(watch.problem == nil)
  }

  @Test func `a link leads nowhere`() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try makeDirectory("\(directory)/real")
    try file("real/state")
    symlink("\(directory)/real", "\(directory)/link")
    #expect(PathWatch().watch([try PathGlob("*/state").below(directory)]) == ["\(directory)/real/state"])
  }
}

@Suite struct RootsFileTests {
  @Test(.enabled(if: geteuid() == 0, "needs root")) func `only what nobody else can have written is read`() throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: "oomlet-\(UUID().uuidString)").path
    try makeDirectory(directory)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    func read(_ name: String, limit: Int = 100) -> [UInt8]? { contents(ofRoots: "\(directory)/\(name)", limit: limit) }
    try replaceFile("\(directory)/f", with: [1, 2, 3])
    #expect(read("f") == [1, 2, 3])
    #expect(read("f", limit: 2) == nil && errno == EFBIG)
    symlink("f", "\(directory)/link")
    #expect(read("link") == nil && errno == ELOOP)
    mkfifo("\(directory)/fifo", 0o600)
    #expect(read("fifo") == nil && errno == EPERM)
    chmod("\(directory)/f", 0o666)
    #expect(read("f") == nil && errno == EPERM)
    chmod("\(directory)/f", 0o644)
    chown("\(directory)/f", 1000, 1000)
    #expect(read("f") == nil && errno == EPERM)
    #expect(read("none") == nil && errno == ENOENT)
  }
}
