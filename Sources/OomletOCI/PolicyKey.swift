/// A key of an annotation that says what a policy is: a pod's, or one of its containers', each in two spellings.
public struct PolicyKey: Hashable, Sendable {
  /// nil: for the whole pod.
  public let container: String?
  /// The spelling for clusters that want keys of a domain.
  public let isAlias: Bool

  public init(container: String? = nil, isAlias: Bool = false) { (self.container, self.isAlias) = (container, isAlias) }

  /// nil: the annotation is none of oomlet's.
  public init?(_ text: String) {
    switch text {
    case PolicyKey.name: self.init()
    case PolicyKey.alias: self.init(isAlias: true)
    case _ where text.hasPrefix(PolicyKey.name + "/"): self.init(container: String(text.dropFirst(PolicyKey.name.count + 1)))
    case _ where text.hasPrefix(PolicyKey.aliasPrefix):
      self.init(container: String(text.dropFirst(PolicyKey.aliasPrefix.count)), isAlias: true)
    default: return nil
    }
  }

  public static let name = "oom.policy"
  public static let alias = "oomlet.dev/policy"
  private static let aliasPrefix = "policy.oomlet.dev/"

  /// As the annotation has it.
  public var text: String {
    guard let container else { return isAlias ? PolicyKey.alias : PolicyKey.name }
    return isAlias ? PolicyKey.aliasPrefix + container : "\(PolicyKey.name)/\(container)"
  }

  /// The same in its other spelling.
  public var twin: PolicyKey { PolicyKey(container: container, isAlias: !isAlias) }
}
