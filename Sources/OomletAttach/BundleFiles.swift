internal import Glibc
public import OomletModel
public import OomletOCI
internal import OomletSystem

/// What a container's bundle tells of it, and what is beside it.
public enum BundleFiles {
  /// - Throws: ``ExitStatus/failed``, with the path.
  public static func config(of bundle: String) throws(Failure) -> BundleConfig {
    let path = "\(bundle)/config.json"
    guard let bytes = contents(of: path) else { throw Failure(.failed, systemError("cannot read \(printable(path))")) }
    return try BundleConfig(parsing: bytes, path: path)
  }

  /// The container's annotations, with its name if it is podman's and they have something for oomlet.
  public static func annotations(
    _ written: WrittenAnnotations, of id: String, in bundle: String?, config: BundleConfig?
  ) -> ContainerAnnotations {
    let annotations = ContainerAnnotations(written, id: id)
    guard annotations.isPodmans, annotations.hasPolicyKeys, let bundle, let name = podmanName(of: id, in: bundle) else {
      return annotations
    }
    let hostname = (config ?? podmanConfig(in: bundle))?.hostname
    return ContainerAnnotations(
      written, id: id, podman: PodmanName(name, isInPod: annotations.isInPod, hostname: hostname))
  }

  private static func podmanConfig(in bundle: String) -> BundleConfig? {
    let path = "\(bundle)/config.json"
    return contents(ofRoots: path, limit: 16 << 20).flatMap { try? BundleConfig(parsing: $0, path: path) }
  }

  private static func podmanName(of id: String, in bundle: String) -> String? {
    PodmanName.files(besideBundle: bundle).lazy
      .compactMap { contents(ofRoots: $0, limit: 16 << 20) }
      .compactMap { PodmanName.find(id, in: $0) }
      .first
  }
}
