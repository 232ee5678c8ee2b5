import Glibc
import OomletModel
import OomletSystem

/// A file that is to be checked.
struct CheckedFile {
  private let path: String
  /// In a directory that was named, so not named itself.
  let isFound: Bool

  /// For people.
  var name: String { path == "-" ? "stdin" : printable(path) }

  /// What somebody means by a name: that file, or all in that directory and below it, sorted.
  ///
  /// - Throws: ``ExitStatus/notFound`` if there is none in a directory.
  static func all(_ name: String) throws(Failure) -> [CheckedFile] {
    guard name != "-", isDirectory(name) else { return [CheckedFile(path: name, isFound: false)] }
    let directory = name.hasSuffix("/") ? String(name.dropLast()) : name
    let files = try files(in: directory)
    guard !files.isEmpty else {
      throw Failure(.notFound, "no .yaml, .yml or .json file in directory \(printable(name))")
    }
    return files.map { CheckedFile(path: $0, isFound: true) }
  }

  /// Hidden ones are left out, and directories that only a link leads to.
  private static func files(in directory: String) throws(Failure) -> [String] {
    guard let names = namesInDirectory(directory) else {
      throw Failure(.failed, systemError("cannot read directory \(printable(directory))"))
    }
    var files: [String] = []
    for name in names.sorted() where !name.hasPrefix(".") {
      let path = "\(directory)/\(name)"
      if isDirectory(path) {
        if !isLink(path) { files += try self.files(in: path) }
      } else if [".yaml", ".yml", ".json"].contains(where: name.hasSuffix) {
        files.append(path)
      }
    }
    return files
  }

  private static func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  private static func isLink(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
  }

  func text() throws(Failure) -> [UInt8] {
    guard let bytes = path == "-" ? readAll(raw: 0) : contents(of: path) else {
      let isMissing = errno == ENOENT || errno == ENOTDIR
      throw Failure(isMissing ? .notFound : .failed, systemError("cannot read \(name)"))
    }
    return bytes
  }
}
