internal import OomletJSON

/// What podman calls a container. It passes no names to hooks, but keeps them beside its bundles: in
/// `STORAGE/DRIVER-containers/ID/userdata` is the bundle, in `STORAGE/DRIVER-containers` a file with all containers' names.
public struct PodmanName: Equatable, Sendable {
  /// For podman: `POD-CONTAINER` of `kube play`.
  public let full: String
  /// Of its pod, as far as that is known.
  public let pod: String?
  /// In its pod, as far as that is known; else for podman.
  public let container: String

  /// - Parameter hostname: a pod's containers have the pod's name as theirs, unless its manifest gives it another.
  public init(_ full: String, isInPod: Bool, hostname: String?) {
    self.full = full
    pod = hostname.flatMap { isInPod && !$0.isEmpty && full.hasPrefix($0 + "-") ? $0 : nil }
    container = pod.map { String(full.dropFirst($0.count + 1)) } ?? full
  }

  /// The files that may have the name of a bundle's container; those that are not kept over a reboot have one of their own.
  public static func files(besideBundle bundle: String) -> [String] {
    let parts = bundle.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
    guard parts.count > 3, parts.last == "userdata", parts[parts.count - 3].hasSuffix("-containers") else { return [] }
    let directory = "/" + parts.dropLast(2).joined(separator: "/")
    return ["\(directory)/containers.json", "\(directory)/volatile-containers.json"]
  }

  /// The name in such a file; nil: it is not there.
  public static func find(_ id: String, in file: [UInt8]) -> String? {
    let containers = (try? LooseJSON(parsing: file))?.array ?? []
    return containers.first { $0["id"]?.string == id }?["names"]?.array?.first?.string
  }
}
