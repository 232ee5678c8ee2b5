internal import CLibbpf
internal import COomletABI
public import OomletModel

/// What the running kernel can do, read from its types (BTF): the interface is a proposal on the move, so nothing of it
/// is assumed.
public enum KernelSupport {
  /// How a policy is attached to a cgroup.
  ///
  /// - Throws: ``ExitStatus/unsupported``.
  static func attachStyle() throws(Failure) -> oomlet_attach_style {
    guard let btf = btf__load_vmlinux_btf() else {
      throw Failure(.unsupported, "the kernel offers no BTF (/sys/kernel/btf/vmlinux): oomlet needs CONFIG_DEBUG_INFO_BTF")
    }
    defer { btf__free(btf) }
    func has(_ member: String, in type: String) -> Bool {
      let id = btf__find_by_name_kind(btf, type, UInt32(BTF_KIND_STRUCT))
      guard id > 0, let type = btf__type_by_id(btf, UInt32(id)) else { return false }
      let members = UnsafeRawPointer(type + 1).assumingMemoryBound(to: btf_member.self)
      return (0..<Int(type.pointee.info & 0xffff)).contains {
        btf__name_by_offset(btf, members[$0].name_off).map { String(cString: $0) } == member
      }
    }
    guard has("handle_out_of_memory", in: "bpf_oom_ops") else {
      throw Failure(.unsupported, "this kernel has no BPF OOM policies (no struct bpf_oom_ops): its own OOM killer decides")
    }
    if has("cgroup_atype", in: "bpf_struct_ops") { return OOMLET_ATTACH_CGROUP_TARGET }
    if has("cgroup", in: "bpf_struct_ops_link") { return OOMLET_ATTACH_CGROUP_FLAG }
    throw Failure(
      .unsupported, "this kernel's BPF OOM policies attach in a way that oomlet does not know: its own OOM killer decides")
  }

  /// - Throws: why policies can't work here.
  public static func check() throws(Failure) { _ = try attachStyle() }
}
