import OomletModel
import OomletPolicy
import Testing

@Suite struct AnnotationLimitsTests {
  @Test func `what is within the limits stays as it is`() throws {
    let request = PolicyRequest(kill: .pod, priority: -5)
    let (allowed, warnings) = try AnnotationLimits().apply(to: request)
    #expect(allowed == request && warnings.isEmpty)
  }

  @Test func `a priority is capped at both ends, and said so`() throws {
    let (high, warnings) = try AnnotationLimits().apply(to: PolicyRequest(priority: 7))
    #expect(high.priority == 0)
    #expect(warnings == ["priority 7 is capped to 0: this node allows -1000000000 to 0"])
    #expect(try AnnotationLimits(priority: -10...10).apply(to: PolicyRequest(priority: -11)).request.priority == -10)
  }

  @Test func `kill pod can be taken back`() throws {
    let (request, warnings) = try AnnotationLimits(allowsKillPod: false).apply(to: PolicyRequest(kill: .pod))
    #expect(request.kill == .container)
    #expect(warnings == ["kill: pod is capped to container: this node does not allow it"])
  }

  @Test func `pressure can be taken back`() throws {
    var asked = PolicyRequest()
    asked.pressure = PressureRequest(kind: .full, permille: 400, window: 1, holdFor: 1, cooldown: 1)
    #expect(try AnnotationLimits().apply(to: asked).request == asked)
    let (request, warnings) = try AnnotationLimits(allowsPressure: false).apply(to: asked)
    #expect(request == PolicyRequest())
    #expect(warnings == ["pressure is left out: this node does not allow it"])
  }

  @Test func `a custom policy that is not open to annotations can't be`() {
    let limits = AnnotationLimits(customPolicies: ["open"])
    #expect(throws: Never.self) { try limits.apply(to: PolicyRequest(victim: .custom(PolicyName("open")!))) }
    let failure = #expect(throws: Failure.self) { try limits.apply(to: PolicyRequest(victim: .custom(PolicyName("growth")!))) }
    #expect(failure?.status == .invalid)
    #expect(
      failure?.description.hasPrefix("victim: \"growth\" is not open to annotations on this node: expected open, largest-rss")
        == true)
  }
}
