public import OomletModel

/// What the running kernel can do, read from its types (BTF), never from its version: the best tier that it has.
public enum KernelSupport {
  /// Whether the kernel has what policies need, as far as its types say: see ``tryOut()`` for whether they work.
  ///
  /// - Throws: ``ExitStatus/unsupported`` with what it lacks.
  public static func check() throws(Failure) { _ = try found.get() }

  public static func tier() throws(Failure) -> Tier { try found.get().tier }

  /// What does not work here for want of a part of the kernel, with the part's name.
  public static func missing() throws(Failure) -> [String] { try found.get().missing }

  static func mechanism() throws(Failure) -> any Mechanism { try found.get() }

  /// Where in the map of one of the kernel's OOM policies what stands; nil: it has none.
  static var policyLayout: OOMOpsTier.PolicyLayout? { ((try? found.get()) as? OOMOpsTier)?.layout }

  private static func find(_ types: KernelTypes) throws(Failure) -> any Mechanism {
    if let best = try OOMOpsTier(types) { return best }
    var lacking: [String] = []
    if let tracing = TracingTier(types, lacking: &lacking) { return tracing }
    throw Failure(
      .unsupported,
      "this kernel has no BPF OOM policies (no struct bpf_oom_ops), and lacks what tracing programs take to decide (\(lacking.joined(separator: ", "))): its own OOM killer decides"
    )
  }

  /// Read once: that takes milliseconds.
  private static let found = Result<any Mechanism, Failure> { () throws(Failure) in try find(try KernelTypes()) }
}
