internal import CLibbpf
internal import COomletABI
internal import Glibc
internal import OomletModel
internal import OomletSystem

/// Tier `bpf-oom`: see bpf/bpf_oom.bpf.c.
struct OOMOpsTier: Mechanism {
  let tier = Tier.bpfOOM
  let attachStyle: oomlet_attach_style
  let object: StaticString
  let missing: [String]
  let layout: PolicyLayout
  private let hasPressure: Bool

  /// Where in a policy's map what stands; in bytes.
  struct PolicyLayout: Sendable {
    let typeID: UInt32
    let size: UInt32
    let handlerOffset: Int
    let nameOffset: Int
    let nameSize: Int
  }

  /// nil: the kernel has no such policies.
  init?(_ types: KernelTypes) throws(Failure) {
    guard let handler = types.member("handle_out_of_memory", of: "bpf_oom_ops") else { return nil }
    if types.member("cgroup_atype", of: "bpf_struct_ops") != nil {
      attachStyle = OOMLET_ATTACH_CGROUP_TARGET
    } else if types.member("cgroup", of: "bpf_struct_ops_link") != nil {
      attachStyle = OOMLET_ATTACH_CGROUP_FLAG
    } else {
      throw Failure(
        .unsupported, "this kernel's BPF OOM policies attach in a way that oomlet does not know: its own OOM killer decides")
    }
    guard let value = types.structure("bpf_struct_ops_bpf_oom_ops"),
      let data = types.member("data", of: "bpf_struct_ops_bpf_oom_ops"), let name = types.member("name", of: "bpf_oom_ops")
    else { throw Failure(.unsupported, "this kernel's struct bpf_oom_ops is not as oomlet knows it") }
    layout = PolicyLayout(
      typeID: value.id, size: value.size, handlerOffset: data.offset + handler.offset, nameOffset: data.offset + name.offset,
      nameSize: name.size)
    hasPressure = types.hasTypedef("btf_trace_psi_avgs_work")
    missing = hasPressure ? [] : ["pressure, for the kernel has no tracepoint psi_avgs_work"]
    // Kfuncs get arguments that programs do not name, in kernels from 7.0 on
    object = types.hasFunction("bpf_wq_set_callback") ? programsObjectImplicitArguments : programsObject
  }

  var attached: [(program: String, pin: String)] { hasPressure ? [("watch_pressure", "watch_pressure")] : [] }

  var deciders: [(program: String, pin: String)] {
    [("handle_out_of_memory", "handle_out_of_memory")] + (hasPressure ? [("watch_pressure", "watch_pressure_program")] : [])
  }

  func prepare(_ object: borrowing BPFObject) {
    object.forEachMap { map, _ in
      if bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS { bpf_map__set_map_flags(map, BPF_F_LINK) }
    }
    if !hasPressure, let program = object.program("watch_pressure") { bpf_program__set_autoload(program, false) }
  }

  /// A struct_ops map with the one handler and the policy's name.
  func makePolicy(_ kind: PolicyMap.Kind, handler: borrowing OwnedFD) throws(Failure) -> OwnedFD {
    let name = kind.name
    var options = bpf_map_create_opts()
    options.sz = MemoryLayout<bpf_map_create_opts>.size
    options.map_flags = BPF_F_LINK
    options.btf_vmlinux_value_type_id = layout.typeID
    // The kernel wants types of the map's own, though it uses its own
    guard let types = btf__new_empty() else { throw failure("cannot make policy \(name)") }
    defer { btf__free(types) }
    guard btf__add_int(types, "int", 4, Int32(BTF_INT_SIGNED)) > 0, btf__load_into_kernel(types) == 0 else {
      throw failure("cannot make policy \(name)")
    }
    options.btf_fd = UInt32(btf__fd(types))
    let shortName = String(name.dropFirst("oomlet_".count).prefix(15))
    let fd = bpf_map_create(BPF_MAP_TYPE_STRUCT_OPS, shortName, 4, layout.size, 1, &options)
    guard fd >= 0 else { throw failure("cannot make policy \(name)") }
    let map = OwnedFD(fd)
    var value = [UInt8](repeating: 0, count: Int(layout.size))
    value.withUnsafeMutableBytes { $0.storeBytes(of: UInt64(handler.raw), toByteOffset: layout.handlerOffset, as: UInt64.self) }
    for (i, byte) in name.utf8.prefix(layout.nameSize - 1).enumerated() { value[layout.nameOffset + i] = byte }
    var key: UInt32 = 0
    guard bpf_map_update_elem(map.raw, &key, value, 0) == 0 else { throw failure("the kernel refuses policy \(name)") }
    return map
  }

  func tryOut(_ policy: borrowing OwnedFD, on cgroup: borrowing Cgroup) throws(Failure) {
    let link = try PolicyLink(policy: policy, to: cgroup, style: attachStyle)
    guard let attached = link.info?.cgroupID, attached == cgroup.id else {
      throw Failure(
        .unsupported, "the kernel does not say where a policy is attached: expected the id of its cgroup in the link's info")
    }
  }
}
