import Foundation
import OomletModel
import OomletSystem
import Testing

@Suite final class BoundedLogTests {
  private let directory = FileManager.default.temporaryDirectory.appending(path: "oomlet-\(UUID().uuidString)").path
  private let log: BoundedLog

  init() throws {
    log = BoundedLog("\(directory)/hook.log")
    try makeDirectory(directory)
  }
  deinit { try? FileManager.default.removeItem(atPath: directory) }

  private func lines(_ path: String) -> [String] {
    String(decoding: contents(of: path) ?? [], as: UTF8.self).split(separator: "\n").map(String.init)
  }

  @Test func `it is as large as it may be, and so is the one before`() throws {
    for i in 100..<200 { try log.append(Array("line \(i)".utf8), maxSize: 100) }
    #expect(lines(log.path).last == "line 199" && lines(log.path).count <= 11)
    #expect(lines(log.older).count == 11)
    #expect(namesInDirectory(directory)?.count == 2)
  }

  @Test func `the same line is there once, until the file is put aside`() throws {
    for _ in 1...50 { try log.append(Array("the same".utf8), maxSize: 1000, once: true) }
    #expect(lines(log.path) == ["the same"])
    try log.append(Array("the".utf8), maxSize: 1000, once: true)
    #expect(lines(log.path) == ["the same", "the"])
    try log.append(Array("the same".utf8), maxSize: 13, once: true)
    #expect(lines(log.path) == ["the same"] && lines(log.older) == ["the same", "the"])
  }

  @Test func `where it can't be put aside, that is said, and it does not grow`() throws {
    try log.append(Array("first".utf8), maxSize: 10)
    try makeDirectory("\(log.older)/in-the-way")
    let failure = #expect(throws: Failure.self) { try self.log.append(Array("second".utf8), maxSize: 10) }
    #expect(failure?.description.hasPrefix("cannot rename \(log.path) to \(log.older): ") == true)
    #expect(lines(log.path) == ["first"])
  }

  @Test func `many that append at once lose no line`() async throws {
    await withTaskGroup(of: Void.self) { group in
      for i in 0..<8 {
        group.addTask { [log] in for j in 0..<20 { try? log.append(Array("\(i) \(j)".utf8), maxSize: 450) } }
      }
    }
    #expect(Set(lines(log.older) + lines(log.path)).count == 160)
  }

  @Test func `a line that was cut off stays alone`() throws {
    try replaceFile(log.path, with: Array("cut o".utf8))
    try log.append(Array("whole".utf8), maxSize: 1000)
    #expect(lines(log.path) == ["cut o", "whole"])
  }
}
