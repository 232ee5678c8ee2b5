internal import Glibc
internal import OomletModel
internal import OomletSystem

/// The mounts of a process, from its root directory on (proc_pid_mountinfo(5)).
struct Mounts {
  struct Mount: Equatable {
    let id: Int
    let parent: Int
    /// `major:minor`
    let device: String
    let point: String
    let type: String

    /// Whether nobody but this node's kernel must answer for it: no server, and no process (FUSE).
    var isLocal: Bool {
      let hasDisk = !device.hasPrefix("0:") && !type.hasPrefix("fuse")
      return hasDisk || ["tmpfs", "devtmpfs", "overlay", "btrfs", "zfs"].contains(type)
    }

    /// - Throws: ``ExitStatus/unsupported`` if who looks for a path behind it may have to wait for good.
    func check(before path: String) throws(Failure) {
      guard !isLocal else { return }
      throw Failure(
        .unsupported,
        "\(printable(path)) of the container is behind \(printable(point)), a file system (\(printable(type))) that may not answer: "
          + "expected nothing but tmpfs and the node's disks on the way")
    }
  }

  let all: [Mount]

  /// nil and errno: they can't be read.
  init?(of pid: Int32) {
    guard let text = contents(of: "/proc/\(pid)/mountinfo") else { return nil }
    self.init(text)
  }

  init(_ text: [UInt8]) { all = text.split(separator: UInt8(ascii: "\n")).compactMap { Mounts.mount($0) } }

  private static func mount(_ line: ArraySlice<UInt8>) -> Mount? {
    let fields = line.split(separator: UInt8(ascii: " ")).map(unescaped)
    // Fields between the sixth and the dash are optional
    guard fields.count > 6, let dash = fields[6...].firstIndex(of: "-"), dash + 1 < fields.count, let id = Int(fields[0]),
      let parent = Int(fields[1])
    else { return nil }
    return Mount(id: id, parent: parent, device: fields[2], point: fields[4], type: fields[dash + 1])
  }

  /// Space, tab, line end and backslash are written as `\040`.
  private static func unescaped(_ field: ArraySlice<UInt8>) -> String {
    var result: [UInt8] = []
    var rest = field
    while let byte = rest.popFirst() {
      let code = byte == UInt8(ascii: "\\") ? UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8) : nil
      if code != nil { rest = rest.dropFirst(3) }
      result.append(code ?? byte)
    }
    return String(decoding: result, as: UTF8.self)
  }

  /// Those that a path leads through; the last one is what it is in. What is hidden below another one is not among them.
  func way(to path: String) -> [Mount] {
    guard var current = all.last(where: { $0.point == "/" }) else { return [] }
    var way = [current]
    var place = ""
    for name in path.utf8.split(separator: UInt8(ascii: "/")) {
      place += "/\(Substring(name))"
      while let next = all.last(where: { $0.parent == current.id && $0.id != current.id && $0.point == place }) {
        current = next
        way.append(next)
      }
    }
    return way
  }

  /// The one that a path is in, if that is a tmpfs and can be reached without waiting.
  func tmpfs(_ path: String) throws(Failure) -> Mount {
    let way = way(to: path)
    for mount in way { try mount.check(before: path) }
    guard let mount = way.last, mount.type == "tmpfs" else {
      throw Failure(.unsupported, "\(printable(path)) of the container is not in a tmpfs")
    }
    return mount
  }

  /// Of the one that an open file is in, without a look at the file; nil: not known.
  static func id(of file: borrowing OwnedFD) -> Int? {
    let info = String(decoding: contents(of: "/proc/self/fdinfo/\(file.raw)") ?? [], as: UTF8.self)
    let line = info.split(separator: "\n").first { $0.hasPrefix("mnt_id:") }
    return line?.split(separator: "\t").last.flatMap { Int($0) }
  }
}
