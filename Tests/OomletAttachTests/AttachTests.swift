import Foundation
import OomletModel
import Testing

@testable import OomletAttach

@Suite struct MemoryRequestTests {
  /// QoS class, oom_score_adj, limit, and the request in bytes on a machine of 1,000,000 bytes.
  @Test(
    arguments: [
      (.guaranteed, -997, 4096, 4096), (.guaranteed, nil, nil, 0), (.burstable, 900, 4096, 100_000),
      (.burstable, 3, nil, 997_000),
      (.burstable, 1000, nil, 0), (.burstable, nil, nil, 0), (.bestEffort, 1000, nil, 0), (nil, 500, 4096, 0),
    ] as [(QoSClass?, Int?, UInt64?, UInt64)])
  func `a request is told from what the kubelet made of it`(_ qos: QoSClass?, _ adj: Int?, _ limit: UInt64?, _ bytes: UInt64) {
    #expect(MemoryRequest.bytes(qos: qos, oomScoreAdj: adj, limit: limit, capacity: 1_000_000) == bytes)
  }
}

@Suite struct SystemdScopeTests {
  private func policy(of cgroup: String, files: [String: String]) throws -> String? {
    let root = FileManager.default.temporaryDirectory.appending(path: "oomlet-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    for (name, text) in files {
      let file = root.appending(path: name)
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    return SystemdScope.oomPolicy(ofCgroup: cgroup, root: root.path)
  }

  @Test func `a scope that systemd ends after an OOM kill is known`() throws {
    #expect(try policy(of: "/a.slice/x.scope", files: ["x.scope": "[Scope]\nOOMPolicy=kill\n"]) == "kill")
    #expect(try policy(of: "/a.slice/x.scope", files: ["x.scope.d/50-OOMPolicy.conf": "[Scope]\nOOMPolicy=stop\n"]) == "stop")
  }

  @Test func `others are left in peace`() throws {
    #expect(try policy(of: "/a.slice/x.scope", files: ["x.scope": "[Scope]\nOOMPolicy=continue\n"]) == nil)
    #expect(
      try policy(
        of: "/a.slice/x.scope", files: ["x.scope": "OOMPolicy=kill\n", "x.scope.d/60.conf": "OOMPolicy=continue\n"]) == nil)
    #expect(try policy(of: "/a.slice/y.scope", files: ["x.scope": "OOMPolicy=kill\n"]) == nil)
    #expect(try policy(of: "/kubepods/pod1/x", files: [:]) == nil)
  }
}
