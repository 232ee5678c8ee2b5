internal import COomletABI
public import OomletModel
internal import OomletSystem

extension Tier {
  /// Of the policies that are loaded; nil: none are. Asks the kernel's maps, not its types, which takes far longer.
  public static var inUse: Tier? {
    State.attachStyle.map { $0 == OOMLET_ATTACH_STORAGE ? .tracing : .bpfOOM }
  }
}

/// What a tier does in its own way.
protocol Mechanism: Sendable {
  var tier: Tier { get }
  var attachStyle: oomlet_attach_style { get }
  /// base64 of the object file.
  var object: StaticString { get }
  /// What this kernel has no part of, each with what does not work for that.
  var missing: [String] { get }
  /// Attached for good, with the names of their links' pins.
  var attached: [(program: String, pin: String)] { get }
  /// Who decides, besides `explain`, with the names of the programs' pins: custom policies answer each. The first one is the
  /// handler.
  var deciders: [(program: String, pin: String)] { get }

  /// Before the object is loaded.
  func prepare(_ object: borrowing BPFObject)
  /// The map of a policy.
  func makePolicy(_ kind: PolicyMap.Kind, handler: borrowing OwnedFD) throws(Failure) -> OwnedFD
  /// Whether policies can be in force on that cgroup, made for this.
  func tryOut(_ policy: borrowing OwnedFD, on cgroup: borrowing Cgroup) throws(Failure)
}
