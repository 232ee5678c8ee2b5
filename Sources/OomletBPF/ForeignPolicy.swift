internal import CLibbpf
internal import Glibc
public import OomletModel
internal import OomletSystem

/// An OOM policy on a cgroup that is none of this version of oomlet: nothing replaces it.
public struct ForeignPolicy: Equatable, Sendable {
  /// As in the kernel's OOM report.
  public let name: String
  public let cgroupID: UInt64
  public let linkID: UInt32

  /// What the kernel says is attached now.
  ///
  /// - Throws: ``ExitStatus/notPermitted`` without CAP_SYS_ADMIN.
  public static func all() throws(Failure) -> [ForeignPolicy] {
    let own = Set(Pins.allLinks.compactMap { PolicyLink(pinned: $0)?.info?.id })
    var foreign: [ForeignPolicy] = []
    var id: UInt32 = 0
    while bpf_link_get_next_id(id, &id) == 0 {
      guard !own.contains(id) else { continue }
      let raw = bpf_link_get_fd_by_id(id)
      guard raw >= 0 else {
        if errno == EPERM { throw failure("cannot look at the links of others") }
        continue
      }
      let link = OwnedFD(raw)
      guard let info = PolicyLink.info(link.raw), info.cgroupID != 0, let name = PolicyLink.name(ofPolicy: info.mapID) else {
        continue
      }
      foreign.append(ForeignPolicy(name: name, cgroupID: info.cgroupID, linkID: id))
    }
    guard errno != EPERM else { throw failure("cannot look at the links of others") }
    return foreign
  }
}
