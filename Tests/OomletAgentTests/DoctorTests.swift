import Foundation
import OomletSystem
import Testing

@testable import OomletAgent

@Suite struct DoctorTests {
  @Test func `hook entries: the administrator's is instead of the packaged one, a broken one has no program`() throws {
    let root = FileManager.default.temporaryDirectory.appending(path: "oomlet-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: root) }
    let (etc, usr) = ("\(root)/etc", "\(root)/usr")
    for directory in [etc, usr] { try makeDirectory(directory) }
    func entry(_ path: String) -> [UInt8] { Array("{\"version\": \"1.0.0\", \"hook\": {\"path\": \"\(path)\"}}".utf8) }
    try replaceFile("\(etc)/50-oomlet.json", with: entry("/opt/oomlet-hook"))
    try replaceFile("\(usr)/50-oomlet.json", with: entry("/usr/oomlet-hook"))
    try replaceFile("\(usr)/60-mine.json", with: entry("/usr/oomlet-hook"))
    try replaceFile("\(usr)/70-other.json", with: entry("/usr/other"))
    try replaceFile("\(usr)/80-oomlet-poststop.json", with: Array("{".utf8))
    let found = Doctor.hookEntries(in: [etc, usr, "\(root)/none"])
    #expect(found.map(\.file) == ["\(etc)/50-oomlet.json", "\(usr)/60-mine.json", "\(usr)/80-oomlet-poststop.json"])
    #expect(found.map(\.program) == ["/opt/oomlet-hook", "/usr/oomlet-hook", nil])
  }
}
