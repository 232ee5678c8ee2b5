internal import CLinux
internal import Glibc
internal import OomletModel
internal import OomletSystem

/// Files of a container in tmpfs mounts of its own, deleted the oldest first.
///
/// What the container does meanwhile can't lead out of them: each step goes by openat2(2) from the mount's directory on, beneath
/// it, without symbolic links or other mounts.
struct FileDeletion {
  /// Of entries that are looked at, so that a container can't keep the agent busy.
  private static let mostEntries = 100_000
  private static let depth = 32

  private struct File {
    let directory: String
    let name: String
    /// In bytes.
    let size: UInt64
    let modified: (Int, Int)
  }

  private let globs: [PathGlob]
  private let deadline: UInt64
  private var entries = 0

  init(_ globs: [PathGlob], until deadline: UInt64) { (self.globs, self.deadline) = (globs, deadline) }

  mutating func run(_ bytes: UInt64, in root: borrowing ContainerRoot) -> ReliefJob.Result {
    var result = ReliefJob.Result(outcome: .nothing)
    var problems: [String] = []
    for base in Set(globs.map(\.fixedDirectory)).sorted() where result.freed < bytes {
      do throws(Failure) {
        let directory = try root.tmpfs(base)
        var files: [File] = []
        collect("", of: base, beneath: directory, &files)
        // Of the same age the first by name, so that it is the same each time
        files.sort {
          ($0.modified.0, $0.modified.1, $0.directory, $0.name) < ($1.modified.0, $1.modified.1, $1.directory, $1.name)
        }
        delete(files, beneath: directory, until: bytes, &result)
      } catch {
        problems.append(error.description)
      }
    }
    if isLate { problems.append("no more time") }
    if result.files > 0 {
      result.outcome = result.freed >= bytes ? .done : .partly
    } else if !problems.isEmpty, !isLate {
      result.outcome = .failed
    }
    result.message = result.outcome == .done ? "" : problems.joined(separator: "; ")
    return result
  }

  private var isLate: Bool { monotonicNanoseconds() >= deadline }

  /// - Parameter path: from the base on, with a slash in front.
  private mutating func collect(
    _ path: String, of base: String, beneath directory: borrowing OwnedFD, _ files: inout [File], depth: Int = 0
  ) {
    let prefix = base == "/" ? "" : base
    guard depth < FileDeletion.depth, globs.contains(where: { $0.reaches(into: prefix + path) || path.isEmpty }) else { return }
    let raw = clinux_open_directory_beneath(directory.raw, path.isEmpty ? "." : String(path.dropFirst()))
    guard raw >= 0 else { return }
    // The stream closes it
    guard let stream = fdopendir(raw) else {
      close(raw)
      return
    }
    defer { closedir(stream) }
    while entries < FileDeletion.mostEntries, !isLate, let entry = readdir(stream) {
      entries += 1
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard name != ".", name != "..", case let below = "\(path)/\(name)" else { continue }
      var status = stat()
      guard fstatat(raw, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { continue }
      switch status.st_mode & S_IFMT {
      case S_IFDIR: collect(below, of: base, beneath: directory, &files, depth: depth + 1)
      case S_IFREG:
        guard globs.contains(where: { $0.matches(prefix + below) }) else { continue }
        files.append(
          File(
            directory: path, name: name, size: status.st_nlink == 1 ? UInt64(clamping: status.st_blocks) &* 512 : 0,
            modified: (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)))
      default: break
      }
    }
  }

  private func delete(_ files: [File], beneath base: borrowing OwnedFD, until bytes: UInt64, _ result: inout ReliefJob.Result) {
    for file in files where result.freed < bytes {
      guard !isLate else { return }
      let raw = clinux_open_directory_beneath(base.raw, file.directory.isEmpty ? "." : String(file.directory.dropFirst()))
      guard raw >= 0 else { continue }
      let directory = OwnedFD(raw)
      let before = free(base)
      guard unlinkat(directory.raw, file.name, 0) == 0 else { continue }
      result.files += 1
      // Who has it open keeps its memory; what others write meanwhile hides some of it
      result.freed += before.map { before in min(file.size, (free(base) ?? before).subtractingWithFloor(before)) } ?? file.size
    }
  }

  /// Of the file system, in bytes; nil: it has no limit.
  private func free(_ directory: borrowing OwnedFD) -> UInt64? {
    var filesystem = statfs()
    guard fstatfs(directory.raw, &filesystem) == 0, filesystem.f_blocks > 0 else { return nil }
    return UInt64(clamping: filesystem.f_bfree).multipliedReportingOverflow(by: UInt64(clamping: filesystem.f_bsize)).partialValue
  }
}

extension UInt64 {
  fileprivate func subtractingWithFloor(_ other: UInt64) -> UInt64 { self > other ? self - other : 0 }
}
