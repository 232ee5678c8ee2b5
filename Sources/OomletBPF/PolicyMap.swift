internal import CLibbpf
internal import COomletABI
internal import Glibc
public import OomletModel
public import OomletSystem

/// A policy as the kernel knows it: a map.
public enum PolicyMap {
  /// What a policy is for: a container's own, or the choice among several containers.
  public enum Kind: Hashable, Sendable {
    case container(Victim)
    case pod
    case system

    var pin: String {
      switch self {
      case .container(let victim): "\(Pins.policies)/\(victim)"
      case .pod: "\(Pins.handlers)/pod"
      case .system: "\(Pins.handlers)/system"
      }
    }

    var name: String {
      let text =
        switch self {
        case .container(let victim): victim.description
        case .pod: "pod"
        case .system: "system"
        }
      return PolicyMap.name(text)
    }
  }

  static func name(_ policy: String) -> String { "oomlet_" + String(policy.map { $0 == "-" ? "_" : $0 }) }

  /// The map of a policy that is loaded, or nil.
  public static func loaded(_ kind: Kind) -> OwnedFD? { Pins.open(kind.pin) }

  /// The map of a policy, made and pinned first if there is none, with all that it takes. The caller holds the lock.
  ///
  /// - Parameter ringSize: of the ring buffer for records, in bytes, if there is none yet.
  /// - Throws: ``ExitStatus/unsupported``, also for a custom policy that the kernel refuses, ``ExitStatus/notPermitted``,
  ///   ``ExitStatus/notFound`` for a custom policy without file, ``ExitStatus/failed``.
  public static func load(_ kind: Kind, ringSize: UInt32) throws(Failure) -> OwnedFD {
    let handler = try Programs.load(ringSize: ringSize)
    if let map = loaded(kind) { return map }
    let map = try KernelSupport.mechanism().makePolicy(kind, handler: handler)
    // A policy appears only when everything is in place
    if case .container(.custom(let name)) = kind { try CustomPolicy.load(name, id: try id(map)) }
    guard bpf_obj_pin(map.raw, kind.pin) == 0 else { throw failure("cannot pin policy \(kind.name)") }
    return map
  }

  /// The kernel's id of a map: never 0.
  public static func id(_ map: borrowing OwnedFD) throws(Failure) -> UInt32 {
    var info = bpf_map_info()
    var length = UInt32(MemoryLayout<bpf_map_info>.size)
    guard bpf_obj_get_info_by_fd(map.raw, &info, &length) == 0 else { throw failure("cannot ask for a policy's id") }
    return info.id
  }
}
