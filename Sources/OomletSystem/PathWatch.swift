internal import Glibc
public import OomletModel

/// Knows which paths match patterns, as they come and go: watches the directories in which one can, so many at most.
public final class PathWatch {
  private let inotify = Inotify()
  private let limit: Int
  private var isFull = false
  private var globs: [PathGlob] = []
  private var watches: [String: CInt] = [:]
  private var directories: [CInt: String] = [:]

  /// - Parameter limit: how many directories are watched. Others may have a say in how many there are.
  public init(limit: Int = .max) { self.limit = limit }

  /// For poll(2); -1: nothing will come.
  public var pollDescriptor: CInt { inotify.pollDescriptor }

  /// Why it does not see all that comes and goes: then ``lookAgain()`` from time to time. nil: it does.
  public var problem: Failure? {
    inotify.problem
      ?? (isFull ? Failure(.failed, "changes are seen later, for patterns reach into more than \(limit) directories") : nil)
  }

  /// Everything anew.
  ///
  /// - Returns: the paths that match now, parents first.
  public func lookAgain() -> [String] {
    isFull = false
    inotify.tryAgain()
    return look(into: "/")
  }

  /// Patterns of absolute paths, in place of the ones before.
  ///
  /// - Returns: the paths that match now, parents first.
  public func watch(_ globs: [PathGlob]) -> [String] {
    self.globs = globs
    for (directory, watch) in watches where !globs.contains(where: { $0.reaches(into: directory) }) {
      inotify.remove(watch)
      forget(watch)
    }
    return lookAgain()
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
    guard isDirectory(directory), globs.contains(where: { $0.reaches(into: directory) }) else { return [] }
    return lookInside(directory)
  }

  private func lookInside(_ directory: String) -> [String] {
    if watches[directory] == nil, watches.count >= limit {
      isFull = true
    } else if let watch = inotify.watch(directory: directory) {
      if let before = directories[watch], before != directory { watches[before] = nil }
      (watches[directory], directories[watch]) = (watch, directory)
    }
    var paths: [String] = []
    for entry in entries(of: directory) ?? [] {
      let path = PathWatch.join(directory, entry.name)
      if globs.contains(where: { $0.matches(path) }) { paths.append(path) }
      if entry.isDirectory, globs.contains(where: { $0.reaches(into: path) }) { paths += lookInside(path) }
    }
    return paths
  }

  private static func join(_ directory: String, _ name: String) -> String {
    directory == "/" ? "/\(name)" : "\(directory)/\(name)"
  }
}
