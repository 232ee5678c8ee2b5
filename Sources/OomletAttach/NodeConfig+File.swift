internal import Glibc
internal import OomletBPF
public import OomletModel
public import OomletPolicy
internal import OomletSystem

extension NodeConfig {
  /// The text of what the agent has loaded last: in force where the file has since been broken.
  public static let loadedPath = "\(Attacher.runDirectory)/config.yaml"

  /// The node's configuration; the default if there is no file.
  ///
  /// - Throws: ``ExitStatus/invalid`` with line and column, ``ExitStatus/failed``.
  public static func load(_ path: String = path) throws(Failure) -> NodeConfig { try read(path).config }

  /// As ``load(_:)``, with what goes with it, and keeps it for ``inForce(complain:)``: all of that, or nothing changes.
  ///
  /// - Parameter load: called with what is to be in force.
  public static func loadForNode(
    _ path: String = path, copy: String = loadedPath, loading load: (NodeConfig) throws(Failure) -> Void
  ) throws(Failure) -> NodeConfig {
    let (config, text) = try read(path)
    let staged = try StagedFile(copy, with: text)
    try load(config)
    try staged.commit()
    return config
  }

  /// The node's configuration, or, if that is broken, what the agent has loaded before, or the default.
  ///
  /// - Parameter complain: called with what is wrong with the file.
  public static func inForce(complain: (Failure) -> Void) -> NodeConfig {
    do throws(Failure) { return try load() } catch {
      complain(Failure(error.status, "\(error.description); what was loaded before is in force"))
      return (try? load(loadedPath)) ?? NodeConfig()
    }
  }

  private static func read(_ path: String) throws(Failure) -> (config: NodeConfig, text: [UInt8]) {
    guard let bytes = contents(of: path) else {
      guard errno != ENOENT else { return (NodeConfig(), []) }
      throw Failure(.failed, systemError("cannot read \(path)"))
    }
    switch parse(bytes, grammar: PolicyGrammar(customPolicies: CustomPolicy.names)) {
    case .success(let config): return (config, bytes)
    case .failure(let problems): throw Failure(.invalid, "\(path): \(problems.summary)")
    }
  }
}
