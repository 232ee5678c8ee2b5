internal import OomletModel
internal import OomletSystem

/// What systemd does with a scope in which the OOM killer has killed anything (systemd.scope(5), OOMPolicy=).
enum SystemdScope {
  /// What it will do that undoes `kill: process`, or nil: nothing, or not known. Read from the unit's files, since that is
  /// where a transient unit's properties are.
  static func oomPolicy(ofCgroup path: String, root: String = "/run/systemd/transient") -> String? {
    guard let unit = path.split(separator: "/").last.map(String.init), unit.hasSuffix(".scope") else { return nil }
    let dropIns = (namesInDirectory("\(root)/\(unit).d") ?? []).filter { $0.hasSuffix(".conf") }.map { "\(root)/\(unit).d/\($0)" }
    var policy: String?
    for file in ["\(root)/\(unit)"] + dropIns {
      for line in String(decoding: contents(of: file) ?? [], as: UTF8.self).split(separator: "\n") {
        let parts = line.split(separator: "=", maxSplits: 1)
        if parts.count == 2, parts[0] == "OOMPolicy" { policy = String(parts[1]) }
      }
    }
    return policy == "kill" || policy == "stop" ? policy : nil
  }
}
