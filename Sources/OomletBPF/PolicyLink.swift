internal import CLibbpf
internal import COomletABI
internal import Glibc
internal import OomletModel
internal import OomletSystem

private let BPF_STRUCT_OPS = bpf_attach_type(rawValue: 44)
private let BPF_F_CGROUP_FD: UInt32 = 1 << 7

/// Tier `bpf-oom`: a policy attached to a cgroup, in force while somebody holds the link: a descriptor or a pin.
struct PolicyLink: ~Copyable {
  let fd: OwnedFD

  /// Attaches a policy's map to a cgroup.
  ///
  /// - Throws: ``ExitStatus/occupied`` if the cgroup has a policy, with its name.
  init(policy map: borrowing OwnedFD, to cgroup: borrowing Cgroup, style: oomlet_attach_style?) throws(Failure) {
    let fd: CInt
    switch style {
    case OOMLET_ATTACH_CGROUP_FLAG:
      var options = bpf_link_create_opts()
      options.sz = MemoryLayout<bpf_link_create_opts>.size
      options.flags = BPF_F_CGROUP_FD
      fd = bpf_link_create(map.raw, cgroup.fd.raw, BPF_STRUCT_OPS, &options)
    case OOMLET_ATTACH_CGROUP_TARGET:
      fd = try PolicyLink.createBesideNone(map, cgroup)
    default: throw Failure(.unsupported, "it is not known how this kernel attaches policies")
    }
    guard fd >= 0 else { throw PolicyLink.failureToAttach(cgroup, errno) }
    self.fd = OwnedFD(fd)
  }

  /// Where a cgroup may have several policies, the kernel does not tell of the others. On one that has never had any it's the
  /// first by its revision; elsewhere they are looked for.
  private static func createBesideNone(_ map: borrowing OwnedFD, _ cgroup: borrowing Cgroup) throws(Failure) -> CInt {
    let fd = clibbpf_link_create_at(map.raw, cgroup.fd.raw, BPF_STRUCT_OPS.rawValue, 1)
    guard fd < 0, errno == ESTALE else { return fd }
    guard let names = namesOfPolicies(on: cgroup.id) else {
      errno = ESTALE
      return fd
    }
    guard names.isEmpty else { throw Attachment.occupied(cgroup.path, by: names.first) }
    return clibbpf_link_create_at(map.raw, cgroup.fd.raw, BPF_STRUCT_OPS.rawValue, 0)
  }

  private static func failureToAttach(_ cgroup: borrowing Cgroup, _ number: CInt) -> Failure {
    let path = printable(cgroup.path)
    switch number {
    case EEXIST: return Attachment.occupied(path, by: namesOfPolicies(on: cgroup.id)?.first)
    case ESTALE:
      return Failure(
        .occupied,
        "cgroup \(path) has or had another OOM policy, and looking takes CAP_SYS_ADMIN: oomlet doctor says whose it is; once it is gone, restart the agent"
      )
    case E2BIG: return Failure(.occupied, "cgroup \(path) has as many OOM policies as it can have, which stay")
    // EBUSY: it is just being removed
    case ENOENT, EBUSY:
      return Failure(.notFound, "cgroup \(path) is gone: the container ended before its policy was attached")
    default: return failure("cannot attach a policy to cgroup \(path)", number)
    }
  }

  /// Puts another policy in its place, so that its cgroup never is without one.
  ///
  /// - Returns: false if this kernel can't do that to a link.
  func replace(by map: borrowing OwnedFD) throws(Failure) -> Bool {
    guard bpf_link_update(fd.raw, map.raw, nil) != 0 else { return true }
    // EINVAL of kernels that don't have the operation for this type at all
    guard [EOPNOTSUPP, EINVAL].contains(errno) else { throw failure("cannot replace a policy") }
    return false
  }

  /// A link that is pinned, or nil and errno.
  init?(pinned path: String) {
    guard let fd = Pins.open(path) else { return nil }
    self.fd = fd
  }

  func pin(_ path: String) throws(Failure) {
    guard bpf_obj_pin(fd.raw, path) == 0 else { throw failure("cannot pin \(printable(path))") }
  }

  /// Takes the policy off its cgroup at once, whoever still holds the link; that the last pin goes takes a moment to do so.
  func detach() throws(Failure) {
    guard bpf_link_detach(fd.raw) == 0 else { throw failure("cannot detach a policy") }
  }

  struct Info: Sendable {
    let id: UInt32
    /// 0: detached; nil: the kernel does not say that.
    let mapID: UInt32?
    /// Of the cgroup it is attached to; 0: detached, or no cgroup.
    let cgroupID: UInt64
  }

  /// What the kernel says of it (BPF_OBJ_GET_INFO_BY_FD); nil if it is no link of a struct_ops map.
  var info: Info? { PolicyLink.info(fd.raw) }

  /// The names of all policies on a cgroup, whoever attached them; nil without CAP_SYS_ADMIN.
  static func namesOfPolicies(on cgroupID: UInt64) -> [String]? {
    var names: [String] = []
    var id: UInt32 = 0
    while bpf_link_get_next_id(id, &id) == 0 {
      let link = bpf_link_get_fd_by_id(id)
      guard link >= 0 else { continue }
      defer { close(link) }
      guard let info = info(link), info.cgroupID == cgroupID, let name = name(ofPolicy: info.mapID) else { continue }
      names.append(name)
    }
    return errno == EPERM ? nil : names
  }

  static func info(_ fd: CInt) -> Info? {
    // struct bpf_link_info, with members that the headers don't have
    var bytes = [UInt8](repeating: 0, count: 128)
    var length = UInt32(bytes.count)
    return bytes.withUnsafeMutableBytes { buffer in
      func field<T>(_ offset: Int, _: T.Type = T.self) -> T { buffer.load(fromByteOffset: offset, as: T.self) }
      guard bpf_obj_get_info_by_fd(fd, buffer.baseAddress, &length) == 0 else { return nil }
      switch bpf_link_type(rawValue: field(0)) {
      case BPF_LINK_TYPE_STRUCT_OPS:
        // struct_ops.map_id and struct_ops.cgroup_id
        return Info(id: field(4), mapID: field(16, UInt32.self), cgroupID: field(24))
      case BPF_LINK_TYPE_CGROUP where field(24, UInt32.self) == BPF_STRUCT_OPS.rawValue:
        // cgroup.cgroup_id and cgroup.attach_type
        return Info(id: field(4), mapID: nil, cgroupID: field(16))
      default: return nil
      }
    }
  }

  /// What the kernel's OOM report prints; nil: it is another kind of struct_ops. Of one whose map is not told, "unknown".
  static func name(ofPolicy mapID: UInt32?) -> String? {
    guard let mapID else { return "unknown" }
    guard let policy = policy(mapID), policy.typeID == KernelSupport.policyLayout?.typeID else { return nil }
    return policy.name
  }

  /// What the kernel's OOM report prints, else the name of the map, at most 15 characters; and the type of the map's value.
  private static func policy(_ id: UInt32) -> (name: String, typeID: UInt32)? {
    let fd = bpf_map_get_fd_by_id(id)
    guard fd >= 0 else { return nil }
    let map = OwnedFD(fd)
    var info = bpf_map_info()
    var length = UInt32(MemoryLayout<bpf_map_info>.size)
    guard bpf_obj_get_info_by_fd(map.raw, &info, &length) == 0 else { return nil }
    var value = [UInt8](repeating: 0, count: Int(info.value_size))
    var key: UInt32 = 0
    if let layout = KernelSupport.policyLayout, value.count >= layout.nameOffset + layout.nameSize,
      bpf_map_lookup_elem(map.raw, &key, &value) == 0
    {
      let name = value[layout.nameOffset..<layout.nameOffset + layout.nameSize].prefix { $0 != 0 }
      if !name.isEmpty { return (String(decoding: name, as: UTF8.self), info.btf_vmlinux_value_type_id) }
    }
    let name = withUnsafeBytes(of: info.name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    return (name, info.btf_vmlinux_value_type_id)
  }
}
