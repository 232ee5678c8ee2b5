internal import CLibbpf
internal import COomletABI
internal import Glibc
public import OomletModel
public import OomletSystem

// Newer than the libbpf and kernel headers that oomlet builds with
private let BPF_MAP_TYPE_STRUCT_OPS_ = BPF_MAP_TYPE_STRUCT_OPS
private let BPF_F_LINK: UInt32 = 1 << 13
private let BPF_F_SLEEPABLE_: UInt32 = 1 << 4

/// Loads policies and pins them, with the maps they share.
public enum PolicyLoader {
  /// The map of a policy that is loaded, or nil.
  public static func loaded(_ policy: PolicyName) -> OwnedFD? { Pins.open("\(Pins.policies)/\(policy)") }

  public static func isLoaded(_ policy: PolicyName) -> Bool { loaded(policy) != nil }

  /// The map of a policy, loaded and pinned first if it was not. The caller holds the lock.
  ///
  /// - Throws: ``ExitStatus/unsupported``, ``ExitStatus/notPermitted``, ``ExitStatus/notFound`` for a name that is no
  ///   policy, ``ExitStatus/failed``.
  public static func load(_ policy: PolicyName) throws(Failure) -> OwnedFD {
    try Pins.makeDirectories()
    if let map = loaded(policy) { return map }
    let style = try KernelSupport.attachStyle()
    guard let bytes = BuiltinPolicies.object(policy.description) else {
      throw Failure(.notFound, "there is no policy \(policy)")
    }
    libbpf_set_print(nil)

    var options = bpf_object_open_opts()
    options.sz = MemoryLayout<bpf_object_open_opts>.size
    let object = Pins.maps.withCString { root in
      options.pin_root_path = root
      return bytes.withUnsafeBytes { bpf_object__open_mem($0.baseAddress, $0.count, &options) }
    }
    guard let object else { throw failure("cannot read policy \(policy)") }
    defer { bpf_object__close(object) }

    var program = bpf_object__next_program(object, nil)
    while let at = program {
      bpf_program__set_flags(at, BPF_F_SLEEPABLE_)
      program = bpf_object__next_program(object, at)
    }
    var operations: OpaquePointer?
    var map = bpf_object__next_map(object, nil)
    while let at = map {
      if bpf_map__type(at) == BPF_MAP_TYPE_STRUCT_OPS_ {
        bpf_map__set_map_flags(at, BPF_F_LINK)
        operations = at
      }
      map = bpf_object__next_map(object, at)
    }
    guard let operations else { throw Failure(.failed, "policy \(policy) has no bpf_oom_ops") }
    guard bpf_object__load(object) == 0 else { throw failure("cannot load policy \(policy)") }

    // Writes the map's value; libbpf's link is none yet, see PolicyLink
    guard let staged = bpf_map__attach_struct_ops(operations) else { throw failure("the kernel refuses policy \(policy)") }
    bpf_link__disconnect(staged)
    bpf_link__destroy(staged)

    try State.set(attachStyle: style)
    let fd = fcntl(bpf_map__fd(operations), F_DUPFD_CLOEXEC, 0)
    guard fd >= 0 else { throw failure("cannot keep policy \(policy)") }
    let owned = OwnedFD(fd)
    guard bpf_obj_pin(owned.raw, "\(Pins.policies)/\(policy)") == 0 else { throw failure("cannot pin policy \(policy)") }
    return owned
  }
}

/// errno of libbpf, as a failure.
func failure(_ what: String) -> Failure {
  let number = errno
  var text = [CChar](repeating: 0, count: 128)
  libbpf_strerror(number, &text, text.count)
  let reason = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  if number == ENOMEM {
    return Failure(.failed, "\(what): \(reason); BPF's memory counts for the cgroup of this process (start oomlet agent first)")
  }
  return Failure(number == EPERM || number == EACCES ? .notPermitted : .failed, "\(what): \(reason)")
}
