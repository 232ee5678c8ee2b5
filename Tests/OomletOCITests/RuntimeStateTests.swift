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
    (#"{"id":"x","pid":99999999999}"#, "no process id"), (#"{"id":"x","annotations":[]}"#, "annotations"),
    (#"{"id":"x","annotations":{"a":1}}"#, #"annotation "a" is no string"#), (#"{"id":"x","id":"y"}"#, "duplicate"),
    (String(repeating: "[", count: 100_000), "depth"),
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
