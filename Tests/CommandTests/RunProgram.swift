import Foundation

/// What a program came to.
struct Outcome {
  let status: Int32
  let output: String
  let errors: String
}

/// Runs a program of this build, or one by its path, with its stdin empty or of that text; maybe with its stdout elsewhere.
func run(_ program: String, _ arguments: [String], input: [UInt8] = [], output: String? = nil) throws -> Outcome {
  let programs = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
  // Files, not pipes: nobody waits for who reads or writes them
  let files = FileManager.default.temporaryDirectory.appending(path: "oomlet-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: files, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: files) }
  let names = ["input", "output", "errors"].map { files.appending(path: $0) }
  try Data(input).write(to: names[0])
  for name in names[1...] { try Data().write(to: name) }
  let process = Process()
  process.executableURL = program.hasPrefix("/") ? URL(filePath: program) : programs.appending(path: program)
  process.arguments = arguments
  process.standardInput = try FileHandle(forReadingFrom: names[0])
  process.standardOutput = try FileHandle(forWritingTo: output.map { URL(filePath: $0) } ?? names[1])
  process.standardError = try FileHandle(forWritingTo: names[2])
  try process.run()
  process.waitUntilExit()
  let texts = try names[1...].map { String(decoding: try Data(contentsOf: $0), as: UTF8.self) }
  return Outcome(status: process.terminationStatus, output: texts[0], errors: texts[1])
}
