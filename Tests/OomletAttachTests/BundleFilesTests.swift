import Foundation
import OomletModel
import OomletOCI
import OomletSystem
import Testing

@testable import OomletAttach

/// Files as Debian's podman 4.3 has written them, shortened. It trusts root's only.
@Suite(.enabled(if: getuid() == 0)) struct BundleFilesTests {
  private static let annotations: WrittenAnnotations = [
    "io.container.manager": "libpod", "io.kubernetes.cri-o.ContainerType": "container", "io.kubernetes.cri-o.SandboxID": "1bdf",
    "io.kubernetes.cri-o.TTY": "false", "oom.policy/db": "youngest",
  ]
  private static let names = #"[{"id":"1bdf","names":["8b645fa1457d-infra"]},{"id":"44f1","names":["shop-db"]}]"#

  private let storage = FileManager.default.temporaryDirectory.appending(path: "oomlet-\(UUID().uuidString)").path

  /// - Returns: what is known of the container by its bundle.
  private func container(
    names: String = names, in file: String = "containers.json", hostname: String = "shop",
    _ annotations: WrittenAnnotations = annotations
  ) throws -> ContainerAnnotations {
    let bundle = "\(storage)/vfs-containers/44f1/userdata"
    try FileManager.default.createDirectory(atPath: bundle, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: storage) }
    try replaceFile("\(storage)/vfs-containers/\(file)", with: Array(names.utf8))
    try replaceFile("\(bundle)/config.json", with: Array(#"{"process":{"env":["PATH=/bin","HOSTNAME=\#(hostname)"]}}"#.utf8))
    return BundleFiles.annotations(annotations, of: "44f1", in: bundle, config: nil)
  }

  @Test(arguments: ["containers.json", "volatile-containers.json"])
  func `a container of kube play is known by its name`(_ file: String) throws {
    let container = try container(in: file)
    #expect(try AskedPolicy(container).request?.victim == .rule(.youngest))
    #expect(try AskedPolicy(container).warnings.isEmpty && container.podName == "shop" && container.containerName == "db")
  }

  @Test func `what can't be known is a warning`() throws {
    for container in [try container(hostname: "other"), try container(names: "[]"), try container(names: "[{")] {
      let asked = try AskedPolicy(container)
      #expect(asked.request == nil && asked.warnings.count == 1 && asked.warnings[0].hasPrefix("oom.policy/db is not used: "))
    }
  }

  @Test func `other runtimes' bundles are left alone`() throws {
    let crio: WrittenAnnotations = [
      "io.container.manager": "cri-o", "io.kubernetes.cri-o.ContainerID": "44f1", "io.kubernetes.container.name": "web",
      "oom.policy/db": "youngest",
    ]
    #expect(try container(crio).containerName == "web" && AskedPolicy(container(crio)).request == nil)
  }
}

@Suite struct AskedPolicyTests {
  @Test func `a pattern of another language is a warning with the annotation's key`() throws {
    let asked = try AskedPolicy(ContainerAnnotations(["oom.policy": "{victim: youngest, protect: ['^java$']}"]))
    #expect(asked.request != nil && asked.warnings.count == 1)
    #expect(asked.warnings.first?.hasPrefix(#"oom.policy: line 1, column 30: protect: "^java$": "^" stands for itself"#) == true)
  }

  @Test func `a pause container asks for nothing, whatever it says`() throws {
    let asked = try AskedPolicy(
      ContainerAnnotations(["io.kubernetes.cri.container-type": "sandbox", "oom.policy": "yougnest", "oom.policy/x": "y"]))
    #expect(asked.request == nil && asked.warnings.isEmpty)
  }
}
