import Foundation
import OomletModel
import OomletPolicy
import Testing

@Suite struct NodeConfigTests {
  private func problems(_ text: String) -> [String] {
    if case .failure(let problems) = NodeConfig.parse(Array(text.utf8)) { problems.all.map(\.description) } else { [] }
  }

  @Test(arguments: ["", "# nothing\n", "{}", "system: {}\nannotations: {}"])
  func `what is not said is as by default`(_ text: String) throws {
    #expect(try NodeConfig.parse(Array(text.utf8)).get() == NodeConfig())
  }

  /// It says so.
  @Test func `examples/config.yaml has each key with its default`() throws {
    let url = URL(fileURLWithPath: #filePath).appending(path: "../../../examples/config.yaml").standardized
    let text = try String(contentsOf: url, encoding: .utf8)
    #expect(try NodeConfig.parse(Array(text.utf8)).get() == NodeConfig())
    // Also the one whose default is that it isn't there, as a comment that can be taken for a key as it is
    let whole = text.replacing("# custom-policies", with: "custom-policies")
    var expected = NodeConfig()
    expected.annotations.customPolicies = ["growth"]
    #expect(try NodeConfig.parse(Array(whole.utf8)).get() == expected)
  }

  @Test func `all keys are read`() throws {
    let config = try NodeConfig.parse(
      Array(
        """
        system:
          order: [usage, youngest]
        annotations:
          priority: {min: -5, max: 100}
          kill-pod: false
          custom-policies: [growth]
        """.utf8)
    ).get()
    #expect(config.order == [.usage, .youngest])
    #expect(config.annotations == AnnotationLimits(priority: -5...100, allowsKillPod: false, customPolicies: ["growth"]))
  }

  @Test(arguments: [
    ("system: {order: [qso]}", "line 1, column 18: system.order: \"qso\""),
    ("annotations: {priority: {min: 5}}", "line 1, column 25: annotations.priority: min 5 is above max 0"),
    ("annotations: {kill-pod: \"no\"}", "line 1, column 25: annotations.kill-pod: \"no\""),
    ("annotations: {custom-policies: [../x]}", "line 1, column 33: annotations.custom-policies: \"../x\" is no policy's name"),
    ("annotation: {}", "did you mean \"annotations\"?"), ("- a", "expected a mapping"), ("a: 1\n---\nb: 2", "a second document"),
  ])
  func `what is wrong is told with its place`(_ text: String, _ problem: String) {
    #expect(problems(text).first?.contains(problem) == true, "\(problems(text))")
  }
}
