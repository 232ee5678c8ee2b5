internal import CLinux
internal import Glibc
public import OomletModel

/// A cgroup v2 directory, open.
public struct Cgroup: ~Copyable {
  /// Where the hierarchy is mounted.
  public static let mountPoint = "/sys/fs/cgroup"

  /// From the root of the hierarchy: `/a/b`.
  public let path: String
  public let fd: OwnedFD
  /// The inode number of its directory: what the kernel calls the cgroup's id.
  public let id: UInt64

  /// - Throws: ``ExitStatus/unsupported`` if there is no cgroup v2 hierarchy or it does not control memory.
  public init(path: String) throws(Failure) {
    let directory = Cgroup.mountPoint + path
    var filesystem = statfs()
    guard statfs(Cgroup.mountPoint, &filesystem) == 0, filesystem.f_type == Int(CLINUX_CGROUP2_SUPER_MAGIC) else {
      throw Failure(.unsupported, "\(Cgroup.mountPoint) is not a cgroup v2 hierarchy: oomlet needs the unified hierarchy")
    }
    guard let fd = openFile(directory, O_RDONLY | O_DIRECTORY) else {
      guard errno != ENOENT else {
        throw Failure(.notFound, "cgroup \(printable(path)) is gone: the container ended before its policy was attached")
      }
      throw Failure(.failed, systemError("cannot open cgroup \(printable(path))"))
    }
    var status = stat()
    guard fstat(fd.raw, &status) == 0 else { throw Failure(.failed, systemError("cannot stat cgroup \(printable(path))")) }
    self.path = path
    self.id = UInt64(status.st_ino)
    self.fd = fd
  }

  /// The path of the cgroup of a process, from /proc/PID/cgroup (cgroups(7)).
  ///
  /// - Throws: ``ExitStatus/notFound``; ``ExitStatus/unsupported``, also where what is mounted does not show it.
  public static func path(ofProcess pid: Int) throws(Failure) -> String {
    guard let text = contents(of: "/proc/\(pid)/cgroup") else {
      throw Failure(.notFound, "process \(pid) is gone: the container ended before its policy was attached")
    }
    guard let path = unifiedPath(String(decoding: text, as: UTF8.self)) else {
      throw Failure(.unsupported, "process \(pid) has no cgroup v2: oomlet needs the unified hierarchy")
    }
    guard let path = CgroupView.own.path(path) else {
      throw Failure(
        .unsupported,
        "cgroup \(printable(path)) of process \(pid) is out of sight, for \(partProblem): \(partRemedy)"
      )
    }
    return path
  }

  /// Whether that is the whole hierarchy: its root has the id 1.
  public static var isWhole: Bool { id(ofPath: "/") == 1 }

  /// Where ``isWhole`` is false: that, and the remedy.
  public static let partProblem = "\(mountPoint) shows a part of the node's cgroups"
  public static let partRemedy = "in a container, mount the node's \(mountPoint) at \(mountPoint)"

  /// Whether a process is in this cgroup or in one below.
  public func holds(_ pid: Int) -> Bool {
    guard let path = try? Cgroup.path(ofProcess: pid) else { return false }
    return path == self.path || path.hasPrefix(self.path + "/")
  }

  /// Whether there are processes in it or below (cgroup.events; cgroups(7)).
  public var isPopulated: Bool { value(of: "cgroup.events")?.split(separator: "\n").contains("populated 1") ?? false }

  /// The processes in it and below, in this PID namespace; 0: one that is not in it.
  public var processes: [Int] {
    ([path] + descendants).flatMap { path in
      String(decoding: contents(of: "\(Cgroup.mountPoint)\(path)/cgroup.procs") ?? [], as: UTF8.self).split(separator: "\n")
        .compactMap { Int($0) }
    }
  }

  /// The paths of the cgroups below this one, parents first.
  public var descendants: [String] {
    var all: [String] = []
    func visit(_ path: String) {
      for name in Cgroup.children(of: Cgroup.mountPoint + path) {
        all.append("\(path)/\(name)")
        visit("\(path)/\(name)")
      }
    }
    visit(path == "/" ? "" : path)
    return all
  }

  /// The names of the directories in one.
  static func children(of directory: String) -> [String] {
    (entries(of: directory) ?? []).filter(\.isDirectory).map(\.name)
  }

  /// The id of a cgroup, or nil and errno.
  public static func id(ofPath path: String) -> UInt64? { inode(of: mountPoint + path) }

  /// Whether there is a cgroup of that path.
  public static func exists(path: String) -> Bool {
    isDirectory(mountPoint + path)
  }

  /// The paths of the cgroups with these ids, by id; nothing for those that are gone.
  public static func paths(ofIDs ids: Set<UInt64>) -> [UInt64: String] {
    guard !ids.isEmpty, let root = try? Cgroup(path: "/") else { return [:] }
    var paths: [UInt64: String] = [:]
    for path in ["/"] + root.descendants {
      if let id = id(ofPath: path), ids.contains(id) { paths[id] = path }
    }
    return paths
  }

  /// Whether the cgroup is there, and still the one with that id.
  public static func exists(path: String, id: UInt64) -> Bool { self.id(ofPath: path) == id }

  /// The path of the line of hierarchy 0, without the mark of a removed cgroup.
  static func unifiedPath(_ text: String) -> String? {
    // In bytes: to Swift's strings a line end after \r is another character, and so is a slash before a combining mark
    text.utf8.split(separator: UInt8(ascii: "\n")).first { $0.starts(with: "0::/".utf8) }.map {
      String(Substring($0.dropFirst(3)))
    }
  }

  /// A file's text without the line end, or nil and errno.
  public func value(of file: String) -> String? {
    let file = openat(fd.raw, file, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    return readAll(OwnedFD(file)).map { bytes in
      String(decoding: bytes.last == UInt8(ascii: "\n") ? Array(bytes.dropLast()) : bytes, as: UTF8.self)
    }
  }

  /// - Returns: false and errno if it failed.
  public func set(_ file: String, to value: String) -> Bool {
    let file = openat(fd.raw, file, O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return false }
    let owned = OwnedFD(file)
    return writeAll(owned.raw, Array(value.utf8))
  }
}
