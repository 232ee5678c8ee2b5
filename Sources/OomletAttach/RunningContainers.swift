internal import Glibc
public import OomletModel
internal import OomletOCI
internal import OomletSystem

/// The containers that runtimes have started on this node, with or without a hook: from the state directories of runc and
/// crun, which podman, CRI-O, containerd and Docker have run them. Those of rootless users are not looked at.
public enum RunningContainers {
  /// A directory for each container.
  public static let directories = ["runc/*", "crun/*", "containerd/runc/*/*", "docker/runtime-runc/*/*"].map {
    glob("/run/" + $0)
  }
  /// The files in them.
  public static let files = directories.map { glob($0.description + "/*") }

  private static func glob(_ text: String) -> PathGlob {
    guard let glob = try? PathGlob(text) else { preconditionFailure("no pattern: \(text)") }
    return glob
  }

  private static let limit = 4 << 20

  /// The container of a directory, or nil: it does not run yet, or no more. Until it runs, its hooks may be at work.
  ///
  /// - Throws: ``ExitStatus/failed``, with the file that can't be read.
  public static func container(in directory: String) throws(Failure) -> Attacher.Container? {
    guard access("\(directory)/exec.fifo", F_OK) != 0, let kept = try kept(directory), isRunning(kept) else { return nil }
    guard let cgroup = kept.cgroup else { throw Failure(.unsupported, "its runtime has made no cgroup for it") }
    var (written, oomScoreAdj) = (kept.annotations, kept.oomScoreAdj)
    var config: BundleConfig?
    if written == nil {
      config = try self.config(of: kept, in: directory)
      guard let config else { return nil }
      (written, oomScoreAdj) = (config.annotations, config.oomScoreAdj)
    }
    let id = directory.utf8.split(separator: UInt8(ascii: "/")).last.map { String(Substring($0)) } ?? ""
    let annotations = BundleFiles.annotations(written ?? [:], of: id, in: kept.bundle, config: config)
    return Attacher.Container(
      identity: try ContainerIdentity(id: id, annotations: annotations), annotations: annotations,
      life: ContainerLife(pid: kept.pid, startTime: kept.startTime), oomScoreAdj: oomScoreAdj, bundle: kept.bundle,
      cgroup: cgroup)
  }

  private static func kept(_ directory: String) throws(Failure) -> KeptContainer? {
    let (runc, crun) = ("\(directory)/state.json", "\(directory)/status")
    if let bytes = try contents(runc) { return try KeptContainer(runc: bytes, path: runc) }
    if let bytes = try contents(crun) { return try KeptContainer(crun: bytes, path: crun) }
    return nil
  }

  /// crun's own copy before the bundle's file, which somebody may have changed since.
  private static func config(of kept: KeptContainer, in directory: String) throws(Failure) -> BundleConfig? {
    for path in ["\(directory)/config.json", "\(kept.bundle)/config.json"] {
      if let bytes = try contents(path) { return try BundleConfig(parsing: bytes, path: path) }
    }
    return nil
  }

  /// nil: there is no such file.
  private static func contents(_ path: String) throws(Failure) -> [UInt8]? {
    if let bytes = OomletSystem.contents(ofRoots: path, limit: limit) { return bytes }
    guard errno != ENOENT, errno != ENOTDIR else { return nil }
    throw Failure(.failed, systemError("cannot read \(printable(path))"))
  }

  private static func isRunning(_ kept: KeptContainer) -> Bool {
    ContainerLife(of: kept.pid)?.startTime == kept.startTime
  }
}
