import OomletModel
import OomletPolicy

private let customPolicies = ["my-policy", "x"]

/// An annotation's text, as anybody who creates a pod may write it.
@c(LLVMFuzzerTestOneInput)
func test(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
  let text = String(decoding: bytes(data, size), as: UTF8.self)
  switch PolicyGrammar(customPolicies: customPolicies).parse(text) {
  case .success(let request):
    checkRequest(request)
    checkLimits(request)
  case .failure(let problems): checkProblems(problems, of: text)
  }
  return 0
}

private func checkRequest(_ request: PolicyRequest) {
  if case .custom(let name) = request.victim {
    check(customPolicies.contains(name.description), "custom policy \(name) is none of the node's")
  }
  for patterns in [request.protect, request.prefer] {
    check(patterns.count <= ProcessPattern.limit, "\(patterns.count) patterns")
    for case .comm(let pattern) in patterns { checkPattern(pattern) }
  }
  check(Set(request.protect).isDisjoint(with: request.prefer), "a pattern is protected and preferred")
  if let order = request.order { check(!order.isEmpty && Set(order).count == order.count, "order \(order)") }
  check((-1_000_000_000...1_000_000_000).contains(request.priority), "priority \(request.priority)")
  if let pressure = request.pressure {
    let second: UInt64 = 1_000_000_000
    check((1...1000).contains(pressure.permille), "\(pressure.permille) permille")
    check((2 * second...300 * second).contains(pressure.window), "over \(pressure.window) ns")
    check((0...1800 * second).contains(pressure.holdFor), "for \(pressure.holdFor) ns")
    check((second...86400 * second).contains(pressure.cooldown), "cooldown \(pressure.cooldown) ns")
  }
}

private func checkPattern(_ pattern: CommPattern) {
  check(pattern.literals.count <= 15, "\(pattern.literals.count) literals")
  check(pattern.literals.allSatisfy { $0 >= 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "*") }, "literals \(pattern.literals)")
  check(pattern.stars >> UInt32(pattern.literals.count + 1) == 0, "a star after the end")
  check(pattern.matches(pattern.literals), "a pattern does not match what it spells")
  if pattern.stars == 0 { check(!pattern.matches([]), "a pattern without star matches nothing") }
}

private func checkLimits(_ request: PolicyRequest) {
  let strict = AnnotationLimits(priority: -10...10, allowsKillPod: false, customPolicies: ["x"])
  do throws(Failure) {
    let (allowed, warnings) = try strict.apply(to: request)
    check(strict.priority.contains(allowed.priority) && allowed.kill != .pod, "the limits let \(allowed) through")
    check(warnings.isEmpty == (allowed == request), "a change without warning, or the other way round")
    for warning in warnings { checkShown(warning, "a warning") }
  } catch { checkShown(error, .invalid) }
}

private func checkProblems(_ problems: Problems, of text: String) {
  check(!problems.all.isEmpty, "refused without a problem")
  checkShown(problems.summary, "the summary")
  var last = (line: 0, column: 0)
  for problem in problems.all {
    checkShown(problem.message, "a problem's message")
    check(problem.line <= text.utf8.count + 1 && problem.column <= text.utf8.count + 1, "a place beyond the text")
    check((problem.line == 0) == (problem.column == 0), "half a place")
    check(last <= (problem.line, problem.column), "problems are not in order")
    last = (problem.line, problem.column)
  }
}
