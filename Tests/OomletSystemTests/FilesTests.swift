import Foundation
import OomletModel
import OomletSystem
import Testing

@Suite struct FilesTests {
  private let directory: String

  init() throws {
    directory = FileManager.default.temporaryDirectory.appending(path: "oomlet-\(UUID().uuidString)").path
    try makeDirectory(directory)
  }

  @Test func `a file is replaced whole`() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try replaceFile("\(directory)/f", with: Array("one".utf8))
    try replaceFile("\(directory)/f", with: Array("two".utf8))
    #expect(contents(of: "\(directory)/f") == Array("two".utf8))
    #expect(namesInDirectory(directory) == ["f"])
  }

  @Test func `what is staged is there when it is committed, and leaves nothing if it is not`() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try replaceFile("\(directory)/f", with: Array("one".utf8))
    do { _ = try StagedFile("\(directory)/f", with: Array("two".utf8)) }
    #expect(contents(of: "\(directory)/f") == Array("one".utf8) && namesInDirectory(directory) == ["f"])
    try StagedFile("\(directory)/f", with: Array("three".utf8)).commit()
    #expect(contents(of: "\(directory)/f") == Array("three".utf8) && namesInDirectory(directory) == ["f"])
  }

  @Test func `one part of a lock does not wait for another`() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let path = "\(directory)/lock"
    let web = try FileLock(path, part: "web", deadline: 0)
    let db = try FileLock(path, part: "db", deadline: 0)
    let failure = #expect(throws: Failure.self) { _ = try FileLock(path, part: "web", deadline: 0) }
    #expect(failure?.status == .deadline)
    web.release()
    _ = try FileLock(path, part: "web", deadline: monotonicNanoseconds() + 5_000_000_000)
    db.release()
  }

  @Test func `what a killed process left goes, what a live one writes stays`() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let dead = try deadProcess()
    for name in ["a.json.\(dead).tmp", "b.json.\(getpid()).tmp", "c.json"] {
      try replaceFile("\(directory)/\(name)", with: [])
    }
    removeTemporaryFiles(in: directory)
    #expect(namesInDirectory(directory) == ["b.json.\(getpid()).tmp", "c.json"])
  }

  @Test func `a lock is one process's, until it goes`() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let path = "\(directory)/lock"
    let lock = try FileLock(path, deadline: 0)
    #expect(FileLock.isHeld(path))
    #expect(throws: Failure.self) { _ = try FileLock(path, deadline: monotonicNanoseconds() + 20_000_000) }
    lock.release()
    // Another test may be just starting a process, which has all descriptors until its exec
    let end = monotonicNanoseconds() + 5_000_000_000
    while FileLock.isHeld(path), monotonicNanoseconds() < end { usleep(1000) }
    #expect(!FileLock.isHeld(path))
  }

  @Test func `reading stops at the limit, and at the deadline`() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try replaceFile("\(directory)/f", with: [UInt8](repeating: 1, count: 100_000))
    #expect(contents(of: "\(directory)/f", limit: 99_999) == nil)
    #expect(contents(of: "\(directory)/f", limit: 100_000)?.count == 100_000)
    let pipe = Pipe()
    #expect(readAll(raw: pipe.fileHandleForReading.fileDescriptor, deadline: monotonicNanoseconds() + 20_000_000) == nil)
  }

  private func deadProcess() throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/true")
    try process.run()
    process.waitUntilExit()
    return process.processIdentifier
  }
}

@Suite struct TerminalTests {
  @Test func `columns are as wide as their widest cell`() {
    #expect(table([["A", "B"], ["long", "x"]]) == "A      B\nlong   x\n")
  }

  @Test(arguments: [(-5, "0s"), (0, "0s"), (119, "119s"), (120, "2m"), (7200, "2h"), (172_800, "2d")] as [(Int64, String)])
  func `ages are short`(_ seconds: Int64, _ text: String) {
    #expect(age(elapsed(since: 0, now: seconds * 1_000_000_000)) == text)
  }

  @Test(
    arguments: [
      (5, 5, 0), (6, 5, 0), (.max, .min, 0), (.max, 0, 0), (0, .max, UInt64(Int64.max)), (.min, .max, .max),
      (.min, 0, 1 << 63),
    ] as [(Int64, Int64, UInt64)])
  func `a stamp may be anywhere`(_ time: Int64, _ now: Int64, _ span: UInt64) {
    #expect(elapsed(since: time, now: now) == span)
    #expect(!age(elapsed(since: time, now: now)).isEmpty)
  }

  @Test func `so may one of the kernel's clock`() {
    #expect(elapsed(since: UInt64.max, now: 0) == 0)
    #expect(elapsed(since: 0, now: UInt64.max) == .max)
    #expect(age(seconds: .max).hasSuffix("d"))
  }

  @Test func `a cell stays on its line, and moves no cursor`() {
    #expect(table([["A", "B"], ["a\nb\r", "\u{1b}[2J"]]) == "A              B\na\\u{a}b\\u{d}   \\u{1b}[2J\n")
  }
}
