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

/// A root directory with these files, for as long as it takes.
private func withFiles<Result>(_ files: [String: String], _ body: (String) throws -> Result) throws -> Result {
  let root = FileManager.default.temporaryDirectory.appending(path: "oomlet-\(UUID().uuidString)")
  defer { try? FileManager.default.removeItem(at: root) }
  for (name, text) in files {
    let file = root.appending(path: name)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }
  return try body(root.path)
}

@Suite struct SystemdUnitTests {
  /// "UNIT POLICY" of what systemd ends; nil: nothing.
  private func ending(_ cgroup: String, _ files: [String: String]) throws -> String? {
    try withFiles(files) { SystemdUnit.ending(cgroup: cgroup, root: $0).map { "\($0.unit) \($0.policy)" } }
  }

  @Test(
    arguments: [
      ("/a.slice/x.scope", ["run/systemd/transient/x.scope": "[Scope]\nOOMPolicy=kill\n"], "x.scope kill"),
      ("/a.slice/x.scope", ["run/systemd/transient/x.scope.d/50-OOMPolicy.conf": "[Scope]\nOOMPolicy=stop\n"], "x.scope stop"),
      // A quadlet with --cgroups=split: its service is above
      (
        "/system.slice/web.service/libpod-payload-1", ["run/systemd/generator/web.service": "[Service]\nOOMPolicy=kill\n"],
        "web.service kill"
      ),
      ("/system.slice/web.service/x", ["etc/systemd/system/web.service": "[Service]\nExecStart=/x\n"], "web.service stop"),
      (
        "/system.slice/web@1.service/x", ["usr/lib/systemd/system/web@.service": "[Service]\n OOMPolicy = stop \n"],
        "web@1.service stop"
      ),
      (
        "/system.slice/web.service/x",
        [
          "usr/lib/systemd/system/web.service": "[Service]\nDelegate=yes\n",
          "etc/systemd/system/web.service.d/a.conf": "[Service]\nOOMPolicy=kill\n",
        ], "web.service kill"
      ),
      (
        "/system.slice/web.service/x",
        ["etc/systemd/system/web.service": "Delegate=memory\n", "usr/lib/systemd/system/web.service": "OOMPolicy=kill\n"], nil
      ),
    ] as [(String, [String: String], String?)])
  func `a unit that systemd ends after an OOM kill is known`(_ cgroup: String, _ files: [String: String], _ ending: String?)
    throws
  {
    #expect(try self.ending(cgroup, files) == ending)
  }

  @Test(
    arguments: [
      ("/a.slice/x.scope", ["run/systemd/transient/x.scope": "[Scope]\nOOMPolicy=continue\n"]),
      (
        "/a.slice/x.scope",
        ["run/systemd/transient/x.scope": "OOMPolicy=kill\n", "run/systemd/transient/x.scope.d/60.conf": "OOMPolicy=continue\n"]
      ),
      ("/a.slice/y.scope", ["run/systemd/transient/x.scope": "OOMPolicy=kill\n"]),
      ("/a.slice/x.scope", ["run/systemd/transient/x.scope": "[Scope]\n"]), ("/kubepods/pod1/x", [:]),
      ("/system.slice/unknown.service/x", [:]),
      ("/system.slice/web.service/x", ["etc/systemd/system/web.service": "[Service]\nDelegate=yes\n#OOMPolicy=kill\n"]),
      (
        "/system.slice/web.service/x",
        [
          "etc/systemd/system/web.service": "[Service]\n",
          "etc/systemd/system.conf.d/a.conf": "[Manager]\nDefaultOOMPolicy=continue\n",
        ]
      ),
    ])
  func `others are left in peace`(_ cgroup: String, _ files: [String: String]) throws {
    #expect(try ending(cgroup, files) == nil)
  }
}

@Suite struct NodeTests {
  @Test(
    arguments: [
      (["pressure/memory": "some avg10=0.00\n", "cmdline": "psi=1"], nil),
      (["cmdline": "quiet psi=0\n"], "booted with psi=0"), (["cmdline": "psi=1 psi=0"], "booted with psi=0"),
      (["cmdline": "quiet"], "boot it with psi=1"),
      (
        ["pressure/memory": "some avg10=0.00\n", "cmdline": "cgroup_disable=hugetlb,pressure x"], "cgroup_disable=pressure: boot"
      ), (["pressure/memory": "", "cmdline": "psi=0 psi=1"], "boot it with psi=1"),
    ] as [([String: String], String?)])
  func `without pressure it says why, and what to do`(_ proc: [String: String], _ why: String?) throws {
    let problem = try withFiles(proc) { Node.pressureProblem(proc: $0) }
    #expect(why == nil ? problem == nil : problem?.description.contains(why!) == true, "\(problem.debugDescription)")
  }

  @Test(arguments: [("populated 1\nfrozen 0\n", true), ("populated 0\nfrozen 0\n", false), ("", false)])
  func `systemd-oomd runs if its unit has processes`(_ events: String, _ runs: Bool) throws {
    let events = ["system.slice/systemd-oomd.service/cgroup.events": events]
    #expect(try withFiles(events) { Node.systemdOomdProblem(cgroups: $0) != nil } == runs)
  }

  @Test func `a node has no systemd-oomd`() { #expect(Node.systemdOomdProblem(cgroups: "/nonexistent") == nil) }

  @Test(
    arguments: [
      ("/", [:], nil), ("/a", [:], nil), ("/", ["cgroup/cgroup.pressure": "0\n"], "pressure of the node"),
      ("/a", ["cgroup/cgroup.pressure": "0\n"], nil), ("/a", ["cgroup/a/cgroup.pressure": "1\n"], nil),
      ("/a", ["cgroup/a/cgroup.pressure": "0\n"], "/a/cgroup.pressure"),
      ("/a", ["proc/cmdline": "cgroup_disable=pressure"], "cgroup_disable"),
      ("/", ["proc/cmdline": "cgroup_disable=pressure"], nil),
    ] as [(String, [String: String], String?)])
  func `pressure may be off for cgroups alone`(_ path: String, _ files: [String: String], _ why: String?) throws {
    let files = files.merging(["proc/pressure/memory": "some avg10=0.00\n"]) { $1 }
    let problem = try withFiles(files) { Node.pressureProblem(ofCgroup: path, proc: "\($0)/proc", cgroups: "\($0)/cgroup") }
    #expect(why == nil ? problem == nil : problem?.description.contains(why!) == true, "\(problem.debugDescription)")
  }

  @Test(
    arguments: [
      ([:], nil), (["cgroup/cgroup.controllers": "cpu memory pids\n"], nil),
      (["cgroup/cgroup.controllers": "cpu pids\n", "proc/cmdline": "quiet cgroup_disable=memory\n"], "cgroup_disable=memory"),
      (["cgroup/cgroup.controllers": "cpu pids\n", "proc/cmdline": "quiet\n"], "unified_cgroup_hierarchy=1"),
    ] as [([String: String], String?)])
  func `a kernel that counts no memory by cgroup`(_ files: [String: String], _ why: String?) throws {
    let problem = try withFiles(files) { Node.memoryProblem(proc: "\($0)/proc", cgroups: "\($0)/cgroup") }
    #expect(why == nil ? problem == nil : problem?.description.contains(why!) == true, "\(problem.debugDescription)")
  }

  @Test(
    arguments: [
      (["panic_on_oom": "0\n", "oom_kill_allocating_task": "0\n"], nil), ([:], nil),
      (["panic_on_oom": "1\n"], "sysctl -w vm.panic_on_oom=0"),
      (["panic_on_oom": "2\n"], "limit of any container"),
      (["panic_on_oom": "0\n", "oom_kill_allocating_task": "1\n"], "sysctl -w vm.oom_kill_allocating_task=0"),
    ] as [([String: String], String?)])
  func `a kernel that asks no policy`(_ sysctls: [String: String], _ why: String?) throws {
    let files = Dictionary(uniqueKeysWithValues: sysctls.map { ("sys/vm/\($0.key)", $0.value) })
    let problem = try withFiles(files) { Node.sysctlProblem(proc: $0) }
    #expect(why == nil ? problem == nil : problem?.description.contains(why!) == true, "\(problem.debugDescription)")
  }

  @Test(
    arguments: [
      ("earlyoom", "NSpid:\t7\n", "earlyoom kills"), ("nohang", "Name:\tnohang\nNSpid:\t7\n", "disable --now nohang"),
      ("earlyoom", "NSpid:\t7\t1\n", nil), ("earlyoom", "", nil), ("bash", "NSpid:\t7\n", nil),
    ])
  func `another killer counts, unless it is in a container`(_ comm: String, _ status: String, _ why: String?) throws {
    let files = ["7/comm": comm + "\n", "7/status": status, "self/comm": "earlyoom\n", "self/status": "NSpid:\t1\n"]
    let problem = try withFiles(files) { Node.killersProblem(proc: $0) }
    #expect(why == nil ? problem == nil : problem?.description.contains(why!) == true, "\(problem.debugDescription)")
  }
}
