internal import Glibc
public import OomletModel

/// The directories in which the node's runtimes keep the state of their containers: an agent in a container sees those that are
/// mounted there.
public struct StateDirectories {
  /// What ``RunningContainers`` looks into: `/run/runc` and others.
  static let known = RunningContainers.directories.map { directory in
    String(directory.description.prefix { $0 != "*" }.dropLast())
  }

  /// Those of the node in whose place there was another one, or none, when this was made.
  private let missing: [(path: String, place: Place)]
  /// false: it takes CAP_SYS_PTRACE to look there.
  private let seesNode: Bool
  private let here: String

  /// - Parameters:
  ///   - node: the node's root. Process 1 has it, to those who see the node's processes.
  ///   - here: this process's.
  public init(node: String = "/proc/1/root", here: String = "") {
    self.here = here
    seesNode = access("\(node)/", F_OK) == 0
    missing = StateDirectories.known.compactMap { path in
      guard let there = Place(node + path), Place(here + path) != there else { return nil }
      return (path, there)
    }
  }

  /// Those that are there now.
  public var seen: [String] { StateDirectories.known.filter { access(here + $0, F_OK) == 0 } }

  /// nil: the node's are seen, all that it had when this was made.
  public var problem: Failure? {
    var hidden = missing.filter { Place(here + $0.path) != $0.place }.map(\.path)
    if !seesNode, seen.isEmpty { hidden = StateDirectories.known }
    guard !hidden.isEmpty else { return nil }
    return Failure(
      .notFound,
      "the node's \(hidden.joined(separator: ", ")) can't be seen here: rules do nothing for the containers there, nor do annotations for which no hook is called"
    )
  }

  /// What to do about ``problem``.
  public static let remedy =
    "in a container, mount the node's directory of that name, read-only (manifests/kubernetes/daemonset.yaml does)"
}

/// A directory, however it is reached.
private struct Place: Equatable {
  let device: UInt64
  let inode: UInt64

  /// nil: there is none.
  init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    (device, inode) = (UInt64(status.st_dev), UInt64(status.st_ino))
  }
}
