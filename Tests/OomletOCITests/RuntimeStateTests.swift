import OomletModel
import OomletOCI
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
    #expect(try bundleAnnotations(Array(config.utf8), path: "config.json") == ["oom.policy": "youngest"])
  }

  @Test func `a config json half written is refused with its path`() {
    let failure = failure { () throws(Failure) in
      _ = try bundleAnnotations(Array(#"{"annotations":{"oom.pol"#.utf8), path: "/b/config.json")
    }
    #expect(failure?.description.hasPrefix("/b/config.json: line 1") == true)
  }
}

@Suite struct AnnotationTests {
  private let known = ["largest-rss", "youngest"]

  @Test(arguments: ["youngest", " youngest\n", "youngest\r\n"])
  func `a policy's name, white space around it allowed`(_ value: String) throws {
    #expect(try policy(named: value, known: known).description == "youngest")
  }

  @Test(arguments: [
    "", "Youngest", "youngest\0", "../youngest", "/etc/passwd", "largets-rss", "largest-rss youngest", "[youngest]",
  ])
  func `anything else is refused with key and value`(_ value: String) {
    let failure = failure { () throws(Failure) in _ = try policy(named: value, known: known) }
    #expect(failure?.status == .invalid)
    #expect(failure?.description.contains("oom.policy: \(quoted(value))") == true)
    #expect(failure?.description.contains("expected one of largest-rss, youngest") == true)
  }

  @Test func `a misspelling gets the nearest name`() {
    let failure = failure { () throws(Failure) in _ = try policy(named: "largets-rss", known: known) }
    #expect(failure?.description.hasSuffix(#"did you mean "largest-rss"?"#) == true)
  }

  @Test(arguments: [
    [
      "io.kubernetes.cri.container-name": "web", "io.kubernetes.cri.sandbox-name": "shop",
      "io.kubernetes.cri.sandbox-namespace": "prod",
    ],
    ["io.kubernetes.container.name": "web", "io.kubernetes.pod.name": "shop", "io.kubernetes.pod.namespace": "prod"],
  ])
  func `containerd's and CRI-O's names are found`(_ annotations: [String: String]) throws {
    let identity = try ContainerIdentity(state: try state(#"{"id":"x"}"#), annotations: annotations)
    #expect(identity.name == "web" && identity.pod == "shop" && identity.namespace == "prod")
  }
}
