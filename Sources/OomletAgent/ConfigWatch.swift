internal import Glibc
internal import OomletModel
internal import OomletSystem

/// Tells when the node's configuration or its policies may have changed: written in place, replaced by rename, or by the swap of
/// the symbolic link `..data` with which Kubernetes updates a mounted ConfigMap. Also where the directory comes into being.
final class ConfigWatch {
  private let inotify = Inotify()
  private let directory: String
  private var parentWatch: CInt?
  private var watch: CInt?
  private var policiesWatch: CInt?
  /// As it was when it was looked at last, where changes may have gone unseen.
  private var stamps: [String] = []
  /// In ns of CLOCK_MONOTONIC.
  private var firstChange: UInt64?
  private var lastChange: UInt64 = 0

  /// Editors write in several steps: what has changed is looked at when there was quiet for so long, or after the longest time.
  static let quiet: UInt64 = 100_000_000
  static let longest: UInt64 = 2_000_000_000

  /// - Parameter directory: of `config.yaml` and `policies`.
  init(_ directory: String = "/etc/oomlet") {
    self.directory = directory
    look()
    stamps = currentStamps
  }

  var pollDescriptor: CInt { inotify.pollDescriptor }

  /// Why it does not see all changes: then ``lookAgain()`` from time to time.
  var problem: Failure? { inotify.problem }

  func lookAgain() {
    inotify.tryAgain()
    look()
    let now = currentStamps
    if now != stamps { noteChange() }
    stamps = now
  }

  private var currentStamps: [String] {
    let policies = "\(directory)/policies"
    return (["\(directory)/config.yaml"] + (namesInDirectory(policies) ?? []).map { "\(policies)/\($0)" }).map { path in
      var status = stat()
      guard stat(path, &status) == 0 else { return "\(path) -" }
      return "\(path) \(status.st_ino) \(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
    }
  }

  /// When to ask ``isChanged(now:)`` at the latest; in ns of CLOCK_MONOTONIC, nil: not before there is an event.
  var deadline: UInt64? { firstChange.map { min(lastChange + ConfigWatch.quiet, $0 + ConfigWatch.longest) } }

  /// Takes in what has happened.
  func handleEvents() {
    var changed = false
    for event in inotify.read() {
      if event.overflow {
        changed = true
      } else if event.watch == parentWatch {
        if event.name == directory.split(separator: "/").last.map(String.init) { changed = true }
      } else if event.ended {
        if event.watch == watch { watch = nil }
        if event.watch == policiesWatch { policiesWatch = nil }
        changed = true
      } else if event.name == "..data" || !event.name.hasPrefix(".") && !event.name.hasSuffix("~") {
        changed = true
      }
    }
    guard changed else { return }
    look()
    noteChange()
  }

  private func noteChange() {
    lastChange = monotonicNanoseconds()
    if firstChange == nil { firstChange = lastChange }
  }

  /// Whether it is time to look at the files: true once for each change.
  func isChanged(now: UInt64) -> Bool {
    guard let deadline, now >= deadline else { return false }
    firstChange = nil
    return true
  }

  /// The directories there are now: one of the same name may be another. Watching what is watched already changes nothing.
  private func look() {
    parentWatch = inotify.watch(contentsOf: String(directory[..<directory.lastIndex(of: "/")!]))
    let old = (watch, policiesWatch)
    watch = inotify.watch(contentsOf: directory)
    policiesWatch = inotify.watch(contentsOf: "\(directory)/policies")
    for case let (before?, now) in [(old.0, watch), (old.1, policiesWatch)] where before != now { inotify.remove(before) }
  }
}
