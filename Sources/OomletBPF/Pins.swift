internal import CLinux
internal import COomletABI
internal import CLibbpf
internal import Glibc
public import OomletModel
public import OomletSystem

/// Where oomlet's kernel objects are pinned: one directory for each version of the ABI, so that two never meet.
public enum Pins {
  public static let filesystem = "/sys/fs/bpf"
  public static let root = "\(filesystem)/oomlet/v\(OOMLET_ABI_VERSION)"
  public static let maps = "\(root)/maps"
  public static let programs = "\(root)/programs"
  public static let policies = "\(root)/policies"
  /// The maps of the handlers that choose among containers: of pods, and of the system.
  public static let handlers = "\(root)/handlers"
  public static let custom = "\(root)/custom"
  /// One for each container, by the id of its cgroup.
  public static let links = "\(root)/links"
  /// One for each pod, by the id of its cgroup.
  public static let pods = "\(root)/pods"
  public static let systemLink = "\(root)/system"

  public static func link(ofContainer cgroupID: UInt64) -> String { "\(links)/\(cgroupID)" }
  public static func link(ofPod cgroupID: UInt64) -> String { "\(pods)/\(cgroupID)" }

  /// The pins of all links: the system's first, then the containers' and their pods'.
  static var allLinks: [String] {
    [systemLink] + [links, pods].flatMap { directory in (namesInDirectory(directory) ?? []).map { "\(directory)/\($0)" } }
  }

  /// - Throws: ``ExitStatus/notPermitted`` where the pins are there but out of reach, ``ExitStatus/unsupported`` as
  ///   ``makeDirectories()``.
  public static func check() throws(Failure) {
    try checkFilesystem()
    guard access("\(filesystem)/oomlet", R_OK | X_OK) == 0 || errno == ENOENT else {
      throw Failure(.notPermitted, systemError("cannot look into \(filesystem)/oomlet") + ": root may")
    }
  }

  /// - Throws: ``ExitStatus/unsupported`` if there is no bpffs: a directory that isn't one would keep nothing.
  public static func makeDirectories() throws(Failure) {
    try checkFilesystem()
    for directory in ["\(filesystem)/oomlet", root, maps, programs, policies, handlers, custom, links, pods] {
      try makeDirectory(directory, mode: 0o700)
      // The file system's own directory may be anybody's to make this one in, and to rename what is in it later
      guard makeOnlyRoots(directory) else {
        throw Failure(
          .notPermitted,
          "\(directory) is not root's alone: expected owner root and mode 0700; remove it, and mount \(filesystem) with -o mode=0700"
        )
      }
    }
  }

  private static func checkFilesystem() throws(Failure) {
    var status = statfs()
    guard statfs(filesystem, &status) == 0, UInt32(truncatingIfNeeded: status.f_type) == UInt32(CLINUX_BPF_FS_MAGIC) else {
      throw Failure(.unsupported, "\(filesystem) is no BPF file system: mount -t bpf -o mode=0700 bpf \(filesystem)")
    }
  }

  /// The object pinned there, or nil and errno.
  public static func open(_ path: String) -> OwnedFD? {
    let fd = bpf_obj_get(path)
    return fd < 0 ? nil : OwnedFD(fd)
  }

  /// Removes a pin; true if there was one.
  @discardableResult
  public static func remove(_ path: String) -> Bool { unlink(path) == 0 }
}
