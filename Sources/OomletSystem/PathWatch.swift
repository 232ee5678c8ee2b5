internal import Glibc
public import OomletModel

/// Knows which paths match patterns, as they come and go: watches the directories in which one can.
public final class PathWatch {
  private let inotify: Inotify
  private var globs: [PathGlob] = []
  private var watches: [String: CInt] = [:]
  private var directories: [CInt: String] = [:]

  public init() throws(Failure) { inotify = try Inotify() }

  /// For poll(2).
  public var pollDescriptor: CInt { inotify.fd.raw }

  /// Patterns of absolute paths, in place of the ones before.
  ///
  /// - Returns: the paths that match now, parents first.
  public func watch(_ globs: [PathGlob]) -> [String] {
    self.globs = globs
    for (directory, watch) in watches where !globs.contains(where: { $0.reaches(into: directory) }) {
      inotify.remove(watch)
      forget(watch)
    }
    return look(into: "/")
  }

  /// Paths that match and have come, gone or changed place since the last call; may name one that has not.
  public func changes() -> [String] {
    var paths: [String] = []
    for event in inotify.read() {
      if event.overflow { return look(into: "/") }
      guard let directory = directories[event.watch] else { continue }
      if event.ended {
        forget(event.watch)
        continue
      }
      let path = PathWatch.join(directory, event.name)
      if globs.contains(where: { $0.matches(path) }) { paths.append(path) }
      paths += look(into: path)
    }
    return paths
  }

  private func forget(_ watch: CInt) {
    guard let directory = directories.removeValue(forKey: watch) else { return }
    watches[directory] = nil
  }

  /// Watches a directory and those in it where something can match. Watched first and read then, so that nothing that
  /// comes meanwhile is missed.
  private func look(into directory: String) -> [String] {
    guard globs.contains(where: { $0.reaches(into: directory) }), isDirectory(directory),
      let watch = inotify.watch(directory: directory)
    else { return [] }
    if let before = directories[watch], before != directory { watches[before] = nil }
    (watches[directory], directories[watch]) = (watch, directory)
    var paths: [String] = []
    for name in namesInDirectory(directory) ?? [] {
      let path = PathWatch.join(directory, name)
      if globs.contains(where: { $0.matches(path) }) { paths.append(path) }
      paths += look(into: path)
    }
    return paths
  }

  private static func join(_ directory: String, _ name: String) -> String {
    directory == "/" ? "/\(name)" : "\(directory)/\(name)"
  }
}

/// A directory itself, and no link to one.
private func isDirectory(_ path: String) -> Bool {
  var status = stat()
  return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}
