internal import Glibc
internal import OomletSystem

/// The files of a journal: the one that is written, and those put aside, with a number at the end: `kills.jsonl.7`. The
/// higher the newer; a file keeps its number, so that nobody reads it twice.
struct JournalFiles {
  let path: String
  /// A number above is a stranger's file: the next one would have none.
  private static let mostFiles = UInt64(Int64.max) - 1

  var directory: String { path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "." }
  private var prefix: String { (path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path) + "." }

  /// Numbers of the files put aside, the oldest first.
  var aside: [UInt64] {
    (namesInDirectory(directory) ?? []).compactMap { name in
      guard name.hasPrefix(prefix), let number = UInt64(name.dropFirst(prefix.count)),
        (1...JournalFiles.mostFiles).contains(number)
      else { return nil }
      return name == prefix + String(number) ? number : nil
    }.sorted()
  }

  func path(_ number: UInt64) -> String { "\(path).\(number)" }

  /// With the totals of all that was put aside.
  var totals: String { "\(path).totals" }
}

/// What a file is, whatever its name.
struct FileIdentity: Equatable {
  private let device: dev_t
  private let inode: ino_t

  init?(open file: CInt) {
    var status = stat()
    guard fstat(file, &status) == 0 else { return nil }
    (device, inode) = (status.st_dev, status.st_ino)
  }

  init?(path: String) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return nil }
    (device, inode) = (status.st_dev, status.st_ino)
  }
}
