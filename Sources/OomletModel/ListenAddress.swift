/// Where the agent offers its metrics: `127.0.0.1:9644`, `[::1]:9644` or `unix:/run/oomlet/metrics.sock`. Addresses are
/// numbers: nothing is looked up.
public enum ListenAddress: Equatable, Sendable, CustomStringConvertible {
  /// `host` as in ``init(_:)``, without brackets.
  case tcp(host: String, port: UInt16)
  /// An absolute path.
  case unix(path: String)

  public static let form = "an address such as 127.0.0.1:9644, [::1]:9644 or unix:/run/oomlet/metrics.sock, or none"

  /// What `sun_path` of unix(7) holds, without the NUL at its end.
  static let longestPath = 107

  /// nil if it is none.
  public init?(_ text: String) {
    if text.hasPrefix("unix:") {
      let path = String(text.dropFirst(5))
      guard path.hasPrefix("/"), !path.hasSuffix("/"), path.utf8.count <= ListenAddress.longestPath, !path.utf8.contains(0)
      else { return nil }
      self = .unix(path: path)
      return
    }
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0,
      text[text.index(after: colon)...].utf8.first != UInt8(ascii: "+")
    else { return nil }
    let host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      let inner = host.dropFirst().dropLast()
      guard inner.contains(":"), inner.utf8.allSatisfy({ "0123456789abcdefABCDEF:.".utf8.contains($0) }) else { return nil }
      self = .tcp(host: String(inner), port: port)
    } else {
      let parts = host.split(separator: ".", omittingEmptySubsequences: false)
      guard parts.count == 4, parts.allSatisfy({ part in part.utf8.allSatisfy { (48...57).contains($0) } && UInt8(part) != nil })
      else { return nil }
      self = .tcp(host: String(host), port: port)
    }
  }

  public var description: String {
    switch self {
    case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unix(let path): "unix:\(path)"
    }
  }
}
