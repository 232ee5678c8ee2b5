import OomletModel
import OomletOCI
import Testing

/// Whose word counts for who a container is.
@Suite struct IdentityTests {
  private static let crio: [String: String] = [
    "io.container.manager": "cri-o", "io.kubernetes.cri-o.ContainerID": "abc", "io.kubernetes.cri-o.ContainerType": "container",
    "io.kubernetes.cri-o.SandboxID": "def", "io.kubernetes.container.name": "web", "io.kubernetes.pod.name": "shop",
    "io.kubernetes.pod.namespace": "prod",
    "io.kubernetes.cri-o.Labels": #"{"io.kubernetes.pod.namespace":"prod","io.kubernetes.container.name":"web"}"#,
  ]
  private static let containerd: [String: String] = [
    "io.kubernetes.cri.container-type": "container", "io.kubernetes.cri.sandbox-id": "def",
    "io.kubernetes.cri.container-name": "web", "io.kubernetes.cri.sandbox-name": "shop",
    "io.kubernetes.cri.sandbox-namespace": "prod",
  ]
  /// As Debian's podman 4.3 and 5.4 write them.
  private static let podman: [String: String] = [
    "io.container.manager": "libpod", "io.kubernetes.cri-o.Created": "2026-11-28T05:26:40.931327695Z",
    "io.kubernetes.cri-o.TTY": "false", "io.podman.annotations.init": "FALSE",
  ]

  private func annotations(_ own: [String: String], _ forged: [String: String]) -> ContainerAnnotations {
    ContainerAnnotations(own.merging(forged) { own, _ in own }, id: "abc")
  }

  private func identity(_ annotations: ContainerAnnotations) -> [String] {
    [annotations.containerName, annotations.podName, annotations.podNamespace]
  }

  private static let forged: [String: String] = [
    "io.kubernetes.cri.container-type": "sandbox", "io.kubernetes.cri.sandbox-name": "etcd",
    "io.kubernetes.cri.sandbox-namespace": "kube-system", "io.kubernetes.cri.container-name": "etcd",
    "io.kubernetes.cri.sandbox-id": "1",
  ]

  @Test func `on CRI-O, containerd's keys are the tenant's word`() {
    let annotations = annotations(IdentityTests.crio, IdentityTests.forged)
    #expect(identity(annotations) == ["web", "shop", "prod"])
    #expect(!annotations.isSandbox && annotations.isInPod && annotations.label("io.kubernetes.pod.namespace") == "prod")
  }

  @Test func `on podman, both families are`() {
    for forged in [
      IdentityTests.forged, IdentityTests.crio, ["io.kubernetes.cri-o.ContainerType": "sandbox"],
      ["io.kubernetes.pod.namespace": "kube-system", "io.container.manager": "cri-o"],
    ] {
      let forged = forged.merging(["io.kubernetes.cri-o.ContainerID": "guessed"]) { $1 }
      let annotations = ContainerAnnotations(IdentityTests.podman.merging(forged) { $1 }, id: "abc")
      #expect(identity(annotations) == ["", "", ""] && !annotations.isSandbox, "\(forged)")
      #expect(annotations.label("io.kubernetes.pod.namespace") == nil)
    }
  }

  @Test func `where two families speak and it can't be told which is forged, neither counts`() {
    var unproven = IdentityTests.crio
    for key in ["io.container.manager", "io.kubernetes.cri-o.ContainerID"] { unproven[key] = nil }
    unproven["io.kubernetes.cri-o.ContainerType"] = "sandbox"
    for own in [["io.kubernetes.pod.namespace": "kube-system"], unproven, ["io.kubernetes.cri-o.X": ""]] {
      let annotations = annotations(IdentityTests.containerd, own)
      #expect(identity(annotations) == ["", "", ""] && !annotations.isInPod && !annotations.isSandbox)
      #expect(annotations.label("io.kubernetes.pod.namespace") == nil)
    }
  }

  @Test func `a pause container is one though somebody says otherwise, if its runtime can't be told`() {
    #expect(annotations(["io.kubernetes.cri.container-type": "sandbox"], ["io.kubernetes.cri-o.X": ""]).isSandbox)
    #expect(annotations(IdentityTests.crio.merging(["io.kubernetes.cri-o.ContainerType": "sandbox"]) { $1 }, [:]).isSandbox)
  }

  @Test func `a single family counts, with what it does not say unknown`() {
    #expect(identity(annotations(IdentityTests.containerd, [:])) == ["web", "shop", "prod"])
    #expect(identity(annotations(["io.kubernetes.cri.container-name": "web"], [:])) == ["web", "", ""])
    // Of the kubelet, for the container: no word of who it is
    #expect(identity(annotations(IdentityTests.containerd, ["io.kubernetes.container.hash": "1"])) == ["web", "shop", "prod"])
  }

  @Test func `a label is what anybody writes, but for Kubernetes' own`() {
    #expect(annotations(IdentityTests.containerd, ["tier": "web"]).label("tier") == "web")
    #expect(annotations(IdentityTests.containerd, ["io.kubernetes.cri-o.Labels": #"{"tier":"web"}"#]).label("tier") == "web")
    #expect(annotations(IdentityTests.crio, [:]).label("io.kubernetes.container.name") == "web")
  }

  // MARK: podman's names

  private static let pod: [String: String] = IdentityTests.podman.merging([
    "io.kubernetes.cri-o.SandboxID": "def", "oom.policy/db": "youngest",
  ]) { $1 }

  private func named(_ name: String?, _ annotations: [String: String] = IdentityTests.pod, hostname: String? = "shop")
    -> ContainerAnnotations
  {
    let isInPod = ContainerAnnotations(annotations).isInPod
    return ContainerAnnotations(
      WrittenAnnotations(annotations), podman: name.map { PodmanName($0, isInPod: isInPod, hostname: hostname) })
  }

  @Test func `kube play's containers are called POD-CONTAINER`() throws {
    let db = named("shop-db")
    #expect(identity(db) == ["db", "shop", ""] && db.isPodmans && db.isInPod)
    #expect(try db.policy()?.key == "oom.policy/db" && db.unusedKeyWarning == nil)
    let web = named("shop-web")
    #expect(try web.policy() == nil && web.unusedKeyWarning == nil)
    #expect(try named("shop-my-db").policy() == nil)
  }

  @Test func `without the pod's name the whole one counts, and a doubt is a warning`() throws {
    for hostname in ["other", nil, ""] {
      let db = named("shop-db", hostname: hostname)
      #expect(try db.policy() == nil && db.containerName == "shop-db")
      #expect(
        db.unusedKeyWarning
          == #"oom.policy/db is not used: podman calls this container "shop-db", and does not tell its pod's name: expected "oom.policy/shop-db" or "oom.policy""#
      )
      #expect(named("shop-web", hostname: hostname).unusedKeyWarning == nil)
      let annotations = IdentityTests.pod.merging(["oom.policy/shop-db": "oldest"]) { $1 }
      #expect(try named("shop-db", annotations, hostname: hostname).policy()?.value == "oldest")
    }
  }

  @Test func `a container of podman run has its own name`() throws {
    let annotations = IdentityTests.podman.merging(["oom.policy/db": "youngest"]) { $1 }
    #expect(try named("db", annotations).policy()?.value == "youngest")
    let web = named("web", annotations)
    #expect(try web.policy() == nil)
    #expect(
      web.unusedKeyWarning
        == #"oom.policy/db is not used: podman calls this container "web": expected "oom.policy/web" or "oom.policy""#)
  }

  @Test(
    arguments: [
      (IdentityTests.pod, "its runtime does not tell its name"),
      (["policy.oomlet.dev/db": "youngest"], "its runtime does not tell its name"),
      (
        IdentityTests.containerd.merging(["oom.policy/web": "youngest", "io.kubernetes.pod.name": "x"]) { $1 },
        "the keys of two runtimes"
      ),
    ] as [([String: String], String)])
  func `a key for a container is a warning where nobody tells the name`(_ annotations: [String: String], _ why: String) throws {
    let annotations = named(nil, annotations)
    #expect(try annotations.policy() == nil)
    #expect(annotations.unusedKeyWarning?.contains(" is not used: \(why)") == true, "\(annotations.unusedKeyWarning ?? "none")")
    #expect(named(nil, ["oom.policy": "youngest"]).unusedKeyWarning == nil)
    #expect(self.annotations(IdentityTests.containerd, ["oom.policy/db": "youngest"]).unusedKeyWarning == nil)
  }

  @Test func `podman's names are beside its bundles`() {
    let bundle = "/var/lib/containers/storage/overlay-containers/44f1/userdata"
    let directory = "/var/lib/containers/storage/overlay-containers"
    #expect(PodmanName.files(besideBundle: bundle) == ["\(directory)/containers.json", "\(directory)/volatile-containers.json"])
    for other in ["", "/", "/b", "/run/containerd/io.containerd.runtime.v2.task/k8s.io/44f1", "/x/44f1/userdata", "userdata"] {
      #expect(PodmanName.files(besideBundle: other).isEmpty)
    }
    let file = Array(
      #"[{"id":"1bdf","names":["8b645fa1457d-infra"],"image":"a"},{"id":"44f1","names":["shop-db"],"metadata":"{\"name\":\"shop-db\"}"},{"id":"9"}]"#
        .utf8)
    #expect(PodmanName.find("44f1", in: file) == "shop-db" && PodmanName.find("9", in: file) == nil)
    #expect(PodmanName.find("44f1", in: Array("[{".utf8)) == nil)
  }
}
