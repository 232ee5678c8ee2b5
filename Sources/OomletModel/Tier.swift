/// How policies decide on a kernel, the best first.
public enum Tier: String, Sendable, CaseIterable {
  /// The kernel asks them: `struct bpf_oom_ops`.
  case bpfOOM = "bpf-oom"
  /// Tracing programs decide before the kernel's own choice.
  case tracing

  /// What users should know that is not as on the best one; "": nothing.
  public var limits: String {
    switch self {
    case .bpfOOM: ""
    case .tracing:
      "a kill by a policy is not counted in memory.events (oom_kill), nor in the kernel's log: runtimes do not report OOMKilled"
    }
  }
}
