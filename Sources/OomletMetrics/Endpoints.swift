internal import NIOCore
internal import NIOHTTP1
internal import OomletModel

/// What is offered at which path.
struct Endpoints: Sendable {
  struct Answer {
    var status: HTTPResponseStatus
    var contentType = "text/plain; charset=utf-8"
    var body: String
  }

  static let paths = ["/metrics", "/healthz", "/readyz"]

  /// What the answer needs of the agent's loop; nil: nothing.
  static func wish(_ method: HTTPMethod, _ uri: String) -> LoopProbe.Wish? {
    guard method == .GET || method == .HEAD else { return nil }
    return switch path(uri) {
    case "/healthz": .signOfLife
    case "/metrics", "/readyz": .figures
    default: nil
    }
  }

  private static func path(_ uri: String) -> Substring { uri.prefix { $0 != "?" } }

  let registry: PrometheusRegistry
  let readiness: Readiness

  /// - Parameter loopAnswers: whether the agent's loop has shown that it runs.
  func answer(_ method: HTTPMethod, _ uri: String, loopAnswers: Bool) -> Answer {
    guard method == .GET || method == .HEAD else {
      return Answer(status: .methodNotAllowed, body: "expected GET or HEAD\n")
    }
    let stuck = "the agent's loop has not answered for \(Limits.loopAnswer.nanoseconds / 1_000_000_000) s\n"
    switch Endpoints.path(uri) {
    case "/metrics":
      return Answer(status: .ok, contentType: PrometheusRegistry.contentType, body: registry.text())
    case "/healthz":
      return loopAnswers ? Answer(status: .ok, body: "ok\n") : Answer(status: .serviceUnavailable, body: stuck)
    case "/readyz":
      guard loopAnswers else { return Answer(status: .serviceUnavailable, body: stuck) }
      let report = readiness.report
      return Answer(status: report.isReady ? .ok : .serviceUnavailable, body: report.text)
    default:
      return Answer(status: .notFound, body: "expected \(oneOf(Endpoints.paths))\n")
    }
  }
}
