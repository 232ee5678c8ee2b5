internal import OomletBPF
public import OomletModel
public import OomletOCI
internal import OomletPolicy

/// What a container's annotations ask for.
public struct AskedPolicy: Sendable {
  /// nil: nothing.
  public let request: PolicyRequest?
  /// What will not be as it was probably meant.
  public let warnings: [String]

  /// - Throws: ``ExitStatus/invalid``, with key and value.
  public init(_ annotations: ContainerAnnotations) throws(Failure) {
    let unused = [annotations.unusedKeyWarning].compactMap { $0 }
    guard let policy = try annotations.policy() else {
      (request, warnings) = (nil, unused)
      return
    }
    let key = printable(policy.key)
    switch PolicyGrammar(customPolicies: CustomPolicy.names).parse(policy.value) {
    case .success(let request): self.request = request
    case .failure(let problems): throw Failure(.invalid, "\(key): \(problems.summary)")
    }
    warnings = unused + PolicyGrammar.doubts(in: policy.value).map { "\(key): \($0.description)" }
  }
}
