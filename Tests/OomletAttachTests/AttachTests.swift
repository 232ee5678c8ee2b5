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

@Suite struct NodeTests {
  private func files(_ files: [String: String]) throws -> String {
    let root = FileManager.default.temporaryDirectory.appending(path: "oomlet-\(UUID().uuidString)")
    for (name, text) in files {
      let file = root.appending(path: name)
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    return root.path
  }

  @Test(
    arguments: [
      (["pressure/memory": "some avg10=0.00\n", "cmdline": "psi=1"], nil),
      (["cmdline": "quiet psi=0\n"], "booted with psi=0"), (["cmdline": "psi=1 psi=0"], "booted with psi=0"),
      (["cmdline": "quiet"], "boot it with psi=1"), (["pressure/memory": "", "cmdline": "psi=0 psi=1"], "boot it with psi=1"),
    ] as [([String: String], String?)])
  func `without pressure it says why, and what to do`(_ proc: [String: String], _ why: String?) throws {
    let proc = try files(proc)
    defer { try? FileManager.default.removeItem(atPath: proc) }
    let problem = Node.pressureProblem(proc: proc)
    #expect(why == nil ? problem == nil : problem?.description.contains(why!) == true, "\(problem.debugDescription)")
  }

  @Test(arguments: [("populated 1\nfrozen 0\n", true), ("populated 0\nfrozen 0\n", false), ("", false)])
  func `systemd-oomd runs if its unit has processes`(_ events: String, _ runs: Bool) throws {
    let root = try files(["system.slice/systemd-oomd.service/cgroup.events": events])
    defer { try? FileManager.default.removeItem(atPath: root) }
    #expect((Node.systemdOomdProblem(cgroups: root) != nil) == runs)
  }

  @Test func `a node has no systemd-oomd`() { #expect(Node.systemdOomdProblem(cgroups: "/nonexistent") == nil) }
}
