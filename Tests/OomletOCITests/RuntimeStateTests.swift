import OomletModel
@testable import OomletOCI
import Testing

private func state(_ text: String) throws(Failure) -> RuntimeState { try RuntimeState(parsing: Array(text.utf8)) }

private func failure(of body: () throws(Failure) -> Void) -> Failure? {
  do throws(Failure) { try body() } catch { return error }
  return nil
}

@Suite struct RuntimeStateTests {
  @Test func `runc's state is read, and what is not known is ignored`() throws {
    let state = try state(
      #"{"ociVersion":"1.0.2","id":"web","status":"creating","pid":17,"bundle":"/b","annotations":{"oom.policy":"youngest"},"root":"/x"}"#
    )
    #expect(state.id == "web" && state.status == "creating" && state.pid == 17 && state.bundle == "/b")
    #expect(state.annotations == ["oom.policy": "youngest"])
  }

  @Test(arguments: [#"{"id":"x","pid":0}"#, #"{"id":"x"}"#, #"{"id":"x","pid":null,"annotations":null}"#])
  func `pid and annotations may be missing`(_ text: String) throws {
    let state = try state(text)
    #expect(state.pid == nil && state.annotations == nil)
  }

  @Test func `other annotations may hold anything`() throws {
    let state = try state(##"{"id":"x","annotations":{"a":"NUL \u0000, DEL \##u{7f}, \ud83d\ude00"}}"##)
    #expect(state.annotations?["a"] == "NUL \0, DEL \u{7f}, \u{1F600}")
  }

  @Test(arguments: [
    ("", "stdin is empty"), ("{", "stdin is not the container's state"), ("[]", "expected a JSON object"),
    (#"{"id":"x"} {"#, "end of file expected"), (#"{"id":"x",}"#, "line 1"), (#"{"pid":1}"#, #"has no "id""#),
    (#"{"id":7}"#, #""id" that is no string"#), (#"{"id":"x","pid":-1}"#, "no process id"),
    (#"{"id":"x","pid":1.5}"#, "no process id"), (#"{"id":"x","pid":"1"}"#, "no process id"),
    (#"{"id":"x","pid":99999999999}"#, "no process id"), (#"{"id":"x","id":"y"}"#, "duplicate"),
    (#"{"id":"x" "pid":1}"#, "line 1, column 11"), (#"{"id":"x","a":tru}"#, "a value expected"),
    (#"{"id":"x","a":"b}"#, "a value"),
    ("{\n\"id\":\"x\",\n x}", "line 3, column 2"), (String(repeating: "[", count: 100_000), "line 1, column 100001"),
  ])
  func `what is no state is refused with a reason`(_ text: String, _ reason: String) {
    let failure = failure { () throws(Failure) in _ = try state(text) }
    #expect(failure?.status == .failed)
    #expect(failure?.description.contains(reason) == true, "\(failure?.description ?? "no error")")
  }

  @Test func `a bundle's unlimited rlimit is no error`() throws {
    let config = #"{"process":{"rlimits":[{"hard":18446744073709551615}]},"annotations":{"oom.policy":"youngest"}}"#
    #expect(try BundleConfig(parsing: Array(config.utf8), path: "config.json").annotations == ["oom.policy": "youngest"])
  }

  /// What runtimes have read, and started before there was a hook.
  private static let odd = [
    #""a": 1, "oomlet": null"#, #""a": "b", "a": "c""#, #""a": "\ud800", "b": "\udc00\u0041", "\ud83d": "\x""#,
    "\"a\": \"\u{fe}\"",
    #""a": "# + String(repeating: "[", count: 20_000) + String(repeating: "]", count: 20_000), #""a\u0000": "b""#,
    #""a": 1e999, "b": 123456789012345678901234567890"#,
  ]

  /// In Latin 1, in which each character is a byte.
  private static func latin1(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8($0.value) } }

  @Test(arguments: odd) func `who asks for nothing starts, whatever else is written`(_ members: String) throws {
    let state = try RuntimeState(parsing: RuntimeStateTests.latin1(#"{"id":"x","annotations":{\#(members)},\#(members)}"#))
    #expect(try ContainerAnnotations(state.annotations ?? [:]).policy() == nil)
    let config = try BundleConfig(parsing: RuntimeStateTests.latin1(#"{\#(members), "annotations":{\#(members)}}"#), path: "c")
    #expect(try ContainerAnnotations(config.annotations).policy() == nil)
  }

  @Test(arguments: odd) func `and so does who asks for something`(_ members: String) throws {
    let text = #"{"id":"x","annotations":{\#(members), "oom.policy": "young\u0065st", \#(members)},\#(members)}"#
    let state = try RuntimeState(parsing: RuntimeStateTests.latin1(text))
    #expect(try ContainerAnnotations(state.annotations ?? [:]).policy()?.value == "youngest")
  }

  @Test(arguments: [#"{"id":"x","annotations":[]}"#, #"{"id":"x","annotations":7}"#, #"{"id":"x","annotations":{"a":1}}"#])
  func `annotations that are none ask for nothing`(_ text: String) throws {
    #expect(try ContainerAnnotations(state(text).annotations ?? [:]).policy() == nil)
  }

  @Test(arguments: [
    (#""oom.policy": "youngest", "oom.policy": "oldest""#, #"oom.policy: it is there twice, "youngest" and "oldest""#),
    (#""oom.policy": "youngest"}, "annotations": {"oom.policy": "youngest""#, "oom.policy: it is there twice"),
    (#""oom.policy\/web": "a", "oom.policy/web": "b""#, "oom.policy/web: it is there twice"),
    (#""oomlet.dev/policy": 7"#, "oomlet.dev/policy: it is no string"),
    (#""oom.policy": {"victim": "oldest"}"#, "it is no string"),
    (#""oom.policy": null"#, "oom.policy: it is no string"),
    ("\"oom.policy\": \"\u{fe}\"", "oom.policy: \"\u{FFFD}\" has characters that are no text: expected UTF-8"),
    (#""oom.policy": "youngest\ud800""#, "that are no text"), (#""oom.policy": "\ufffd""#, "that are no text"),
  ])
  func `what asks for something is read strictly`(_ annotations: String, _ reason: String) throws {
    for source in [
      try RuntimeState(parsing: RuntimeStateTests.latin1(#"{"id":"x","annotations":{\#(annotations)}}"#)).annotations,
      try BundleConfig(parsing: RuntimeStateTests.latin1(#"{"annotations":{\#(annotations)}}"#), path: "c").annotations,
    ] {
      let failure = failure { () throws(Failure) in _ = try ContainerAnnotations(source ?? [:]).policy() }
      #expect(
        failure?.status == .invalid && failure?.description.contains(reason) == true, "\(failure?.description ?? "no error")")
    }
  }

  @Test func `a container's hostname is its configuration's, or its environment's`() throws {
    func hostname(_ text: String) throws -> String? { try BundleConfig(parsing: Array(text.utf8), path: "c").hostname }
    #expect(try hostname(#"{"hostname":"a","process":{"env":["HOSTNAME=b"]}}"#) == "a")
    #expect(try hostname(#"{"process":{"env":["A=1","HOSTNAME=b"]}}"#) == "b")
    #expect(try hostname(#"{"process":{"env":[7]}}"#) == nil)
  }

  @Test func `a config json half written is refused with its path`() {
    let failure = failure { () throws(Failure) in
      _ = try BundleConfig(parsing: Array(#"{"annotations":{"oom.pol"#.utf8), path: "/b/config.json")
    }
    #expect(failure?.description.hasPrefix("/b/config.json: line 1") == true)
  }
}

@Suite struct AnnotationTests {
  private let own = ["io.kubernetes.cri.container-name": "web"]

  private func policy(_ annotations: [String: String]) throws -> ContainerAnnotations.Policy? {
    try ContainerAnnotations(annotations.merging(own) { $1 }).policy()
  }

  @Test func `the container's own key comes before the pod's`() throws {
    #expect(
      try policy(["oom.policy": "a", "oom.policy/web": "b", "oom.policy/db": "c"]) == .init(key: "oom.policy/web", value: "b"))
    #expect(try policy(["oom.policy": "a", "oom.policy/db": "c"]) == .init(key: "oom.policy", value: "a"))
    #expect(try policy(["oom.policy/db": "c"]) == nil)
  }

  @Test func `an alias will do, unless it says something else`() throws {
    #expect(try policy(["oomlet.dev/policy": "a"])?.value == "a")
    #expect(try policy(["policy.oomlet.dev/web": "b", "oom.policy": "a"])?.value == "b")
    #expect(try policy(["oomlet.dev/policy": "a", "oom.policy": "a"])?.value == "a")
    let failure = failure { () throws(Failure) in
      _ = try ContainerAnnotations(["oomlet.dev/policy": "a", "oom.policy": "b"]).policy()
    }
    #expect(failure?.status == .invalid)
    #expect(failure?.description.contains("oomlet.dev/policy") == true && failure?.description.contains("oom.policy: ") == true)
  }

  @Test func `a container's name in a message cannot move the cursor`() {
    let failure = failure { () throws(Failure) in
      _ = try ContainerAnnotations([
        "io.kubernetes.cri.container-name": "w\n\u{1b}[2J", "oom.policy/w\n\u{1b}[2J": "a", "policy.oomlet.dev/w\n\u{1b}[2J": "b",
      ]).policy()
    }
    #expect(
      failure?.description.hasPrefix(#"oom.policy/w\u{a}\u{1b}[2J: "a", but policy.oomlet.dev/w\u{a}\u{1b}[2J: "b""#) == true)
  }

  @Test func `a pause container's annotation is not looked at`() throws {
    let pause = ["io.kubernetes.cri.container-type": "sandbox"]
    for own in [["oom.policy": "a", "oomlet.dev/policy": "b"], ["oom.policy": "yougnest"], ["oom.policy/web": "youngest"]] {
      let annotations = ContainerAnnotations(pause.merging(own) { $1 })
      #expect(try annotations.policy() == nil && annotations.unusedKeyWarning == nil)
    }
    let state = try state(##"{"id":"x","annotations":{"io.kubernetes.cri.container-type":"sandbox","oom.policy":7}}"##)
    #expect(try ContainerAnnotations(state.annotations ?? [:]).policy() == nil)
  }

  @Test(arguments: ["io.kubernetes.cri.container-type", "io.kubernetes.cri-o.ContainerType"])
  func `a pod's pause container is known`(_ key: String) {
    #expect(ContainerAnnotations([key: "sandbox"]).isSandbox)
    #expect(!ContainerAnnotations([key: "container"]).isSandbox)
  }

  @Test(arguments: [
    [
      "io.kubernetes.cri.container-name": "web", "io.kubernetes.cri.sandbox-name": "shop",
      "io.kubernetes.cri.sandbox-namespace": "prod",
    ],
    ["io.kubernetes.container.name": "web", "io.kubernetes.pod.name": "shop", "io.kubernetes.pod.namespace": "prod"],
  ])
  func `containerd's and CRI-O's names are found`(_ annotations: [String: String]) throws {
    let identity = try ContainerIdentity(id: "x", annotations: ContainerAnnotations(annotations))
    #expect(identity.name == "web" && identity.pod == "shop" && identity.namespace == "prod")
  }
}
