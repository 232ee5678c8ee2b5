internal import Glibc
public import OomletModel
internal import OomletSystem

/// What is pinned by oomlets of another version of the ABI, which this one can't read.
public struct OtherVersion: Sendable {
  /// Of its directory: `v2`.
  public let name: String

  private static let parent = "\(Pins.filesystem)/oomlet"
  private var path: String { "\(OtherVersion.parent)/\(name)" }

  public static func all() -> [OtherVersion] {
    (namesInDirectory(parent) ?? []).filter { "\(parent)/\($0)" != Pins.root }.map(OtherVersion.init(name:))
  }

  /// How many of its policies are in force, on containers and their pods: not what it has on the root cgroup.
  public var inForce: Int {
    let root = Cgroup.id(ofPath: "/")
    var count = 0
    forEachPin(path) { pin in
      if let info = PolicyLink(pinned: pin)?.info, info.cgroupID != 0, info.cgroupID != root { count += 1 }
    }
    return count
  }

  /// Removes its pins, and with them what it has loaded.
  ///
  /// - Throws: ``ExitStatus/occupied`` while a policy of it is in force.
  public func remove() throws(Failure) {
    let inForce = inForce
    guard inForce == 0 else {
      throw Failure(
        .occupied, "\(path) stays: \(count(inForce, "policy", "policies")) of it are in force, until their containers end")
    }
    forEachPin(path) { Pins.remove($0) }
    removeDirectories(path)
    guard access(path, F_OK) != 0 else { throw Failure(.failed, systemError("cannot remove \(path)")) }
  }

  private func forEachPin(_ directory: String, _ body: (String) -> Void) {
    for name in namesInDirectory(directory) ?? [] {
      let path = "\(directory)/\(name)"
      if isDirectory(path) { forEachPin(path, body) } else { body(path) }
    }
  }

  private func removeDirectories(_ directory: String) {
    for name in namesInDirectory(directory) ?? [] { removeDirectories("\(directory)/\(name)") }
    rmdir(directory)
  }

  private func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}
