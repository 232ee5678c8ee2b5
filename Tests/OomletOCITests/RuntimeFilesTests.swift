import OomletModel
import OomletOCI
import Testing

private func runc(_ text: String) throws(Failure) -> KeptContainer {
  try KeptContainer(runc: Array(text.utf8), path: "/r/state.json")
}
private func crun(_ text: String) throws(Failure) -> KeptContainer {
  try KeptContainer(crun: Array(text.utf8), path: "/c/status")
}

@Suite struct RuntimeFilesTests {
  @Test func `runc's state.json has all of it`() throws {
    let kept = try runc(
      #"{"id":"one","init_process_pid":101,"init_process_start":1117,"config":{"oom_score_adj":-997,"labels":["a.b/c=x=y","empty=","oom.policy=youngest","bundle=/b"],"rlimits":[{"hard":18446744073709551615}]}}"#
    )
    #expect(kept.pid == 101 && kept.startTime == 1117 && kept.bundle == "/b" && kept.oomScoreAdj == -997)
    #expect(kept.annotations == ["a.b/c": "x=y", "empty": "", "oom.policy": "youngest"])
  }

  @Test func `crun's status leads to the bundle`() throws {
    let kept = try crun(#"{"pid": 124, "process-start-time": 1602, "bundle": "/run/b", "detached": true}"#)
    #expect(kept.pid == 124 && kept.startTime == 1602 && kept.bundle == "/run/b" && kept.annotations == nil)
  }

  /// Its process may have moved on since.
  @Test func `the cgroup is the one that the runtime made`() throws {
    let start = #""init_process_pid":1,"init_process_start":1"#
    let paths: [(String, String?)] = [
      (#"{"":"/sys/fs/cgroup/kubepods.slice/a.scope"}"#, "/kubepods.slice/a.scope"), (#"{"":"/sys/fs/cgroup//a/"}"#, "/a"),
      (#"{"":"/sys/fs/cgroup/a/../b"}"#, nil), (#"{"":"/sys/fs/cgroup/"}"#, nil), (#"{"":"/sys/fs/cgroup"}"#, nil),
      (#"{"":"/elsewhere/a"}"#, nil), (#"{"memory":"/sys/fs/cgroup/memory/a"}"#, nil), (#"{"":7}"#, nil), ("[]", nil),
    ]
    for (text, path) in paths {
      #expect(try runc("{\(start),\"cgroup_paths\":\(text)}").cgroup == path, "\(text)")
    }
    #expect(try runc("{\(start)}").cgroup == nil)
    for (text, path) in [("/machine.slice/a.scope", "/machine.slice/a.scope"), ("", nil), ("/", nil), ("a", nil), ("/./a", nil)] {
      #expect(try crun(#"{"pid":1,"process-start-time":1,"cgroup-path":"\#(text)"}"#).cgroup == path, "\(text)")
    }
  }

  @Test(arguments: [
    "", "[]", "{", #"{"init_process_pid":1}"#, #"{"init_process_pid":0,"init_process_start":1}"#,
    #"{"init_process_pid":-1,"init_process_start":1}"#, #"{"init_process_pid":"1","init_process_start":1}"#,
    #"{"init_process_pid":1.5,"init_process_start":1}"#, #"{"init_process_pid":1,"init_process_start":-1}"#,
    #"{"init_process_pid":99999999999,"init_process_start":1}"#, #"{"init_process_pid":1,"init_process_pid":2}"#,
    #"{"init_process_pid":1,"init_process_start":1,"config":{"labels":["a"]}}"#,
    #"{"init_process_pid":1,"init_process_start":1,"config":{"labels":[7]}}"#,
    String(repeating: "[", count: 100_000),
  ])
  func `what is damaged is refused with its path`(_ text: String) {
    #expect {
      try runc(text)
    } throws: { ($0 as? Failure)?.status == .failed && ($0 as? Failure)?.description.hasPrefix("/r/state.json") == true }
  }

  private func kept(labels: String) throws -> KeptContainer {
    try runc(#"{"init_process_pid":1,"init_process_start":1,"config":{"labels":[\#(labels)]}}"#)
  }

  /// runc appends its own to the annotations.
  @Test(arguments: [
    (#""bundle=/x","oom.policy=youngest","bundle=/b""#, ["bundle": "/x", "oom.policy": "youngest"]),
    (#""bundle=","bundle=/b""#, ["bundle": ""]), (#""bundle=/b""#, [:]), (#""a=1","a=2=","bundle=/b""#, ["a": "2="]),
    (#""bundle=/1","bundle=2=3","=","bundle=/b""#, ["bundle": "2=3", "": ""]),
  ])
  func `an annotation may be called as a label of runc's`(_ labels: String, _ annotations: [String: String]) throws {
    let kept = try kept(labels: labels)
    #expect(kept.bundle == "/b" && kept.annotations?.values == annotations && kept.annotations?.fault == nil)
  }

  @Test func `a label of oomlet's that is there twice is refused, when it is asked for`() throws {
    let annotations = ContainerAnnotations(
      try #require(try kept(labels: #""oom.policy=1","oom.policy=2","bundle=/b""#).annotations))
    #expect {
      try annotations.policy()
    } throws: { ($0 as? Failure)?.status == .invalid && ($0 as? Failure)?.description.contains("there twice") == true }
  }

  @Test func `what crun keeps may have bytes that are no text`() throws {
    let text = Array(#"{"pid": 124, "process-start-time": 1602, "bundle": "/run/b", "a": "#.utf8) + [34, 0xE9, 34, 125]
    #expect(try KeptContainer(crun: text, path: "/c/status").bundle == "/run/b")
  }

  @Test func `labels: CRI-O's, or an annotation of that name`() {
    let annotations = ContainerAnnotations(["io.kubernetes.cri-o.Labels": #"{"tier":"web"}"#, "tier": "db", "team": "a"])
    #expect(annotations.label("tier") == "web" && annotations.label("team") == "a" && annotations.label("x") == nil)
    let broken = ContainerAnnotations(["io.kubernetes.cri-o.Labels": #"{"tier":7"#, "tier": "db"])
    #expect(broken.label("tier") == "db")
  }
}
