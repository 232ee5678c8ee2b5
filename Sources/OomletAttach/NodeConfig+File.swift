internal import Glibc
internal import OomletBPF
public import OomletModel
public import OomletPolicy
internal import OomletSystem

extension NodeConfig {
  /// The node's configuration; the default if there is no file.
  ///
  /// - Throws: ``ExitStatus/invalid`` with line and column, ``ExitStatus/failed``.
  public static func load(_ path: String = path) throws(Failure) -> NodeConfig {
    guard let bytes = contents(of: path) else {
      guard errno != ENOENT else { return NodeConfig() }
      throw Failure(.failed, systemError("cannot read \(path)"))
    }
    switch parse(bytes, grammar: PolicyGrammar(customPolicies: CustomPolicy.names)) {
    case .success(let config): return config
    case .failure(let problems): throw Failure(.invalid, "\(path): \(problems.summary)")
    }
  }
}
