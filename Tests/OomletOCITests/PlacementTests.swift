import OomletModel
import OomletOCI
import Testing

@Suite struct PlacementTests {
  private static let uid = "pod0f1e2d3c_4b5a_6978_8796_a5b4c3d2e1f0"
  private static let cri = ["io.kubernetes.cri.container-type": "container", "io.kubernetes.cri.sandbox-id": "abc"]

  /// The process's cgroup, annotations, and what is expected: container, pod, QoS class.
  @Test(
    arguments: [
      ("/a/b", [:], "/a/b", nil, nil),
      ("/b", [:], "/b", nil, nil),
      (
        "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-\(uid).slice/cri-containerd-abc.scope", [:],
        "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-\(uid).slice/cri-containerd-abc.scope",
        "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-\(uid).slice", .burstable
      ),
      (
        "/kubepods.slice/kubepods-\(uid).slice/crio-abc.scope/container", [:],
        "/kubepods.slice/kubepods-\(uid).slice/crio-abc.scope",
        "/kubepods.slice/kubepods-\(uid).slice", .guaranteed
      ),
      ("/kubepods/besteffort/pod1-2/abc", [:], "/kubepods/besteffort/pod1-2/abc", "/kubepods/besteffort/pod1-2", .bestEffort),
      ("/kubepods/pod1-2/abc", [:], "/kubepods/pod1-2/abc", "/kubepods/pod1-2", .guaranteed),
      (
        "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/kubelet-kubepods-besteffort-\(uid).slice/x.scope",
        [:],
        "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/kubelet-kubepods-besteffort-\(uid).slice/x.scope",
        "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/kubelet-kubepods-besteffort-\(uid).slice",
        .bestEffort
      ),
      ("/machine.slice/libpod-abc.scope/container", [:], "/machine.slice/libpod-abc.scope", nil, nil),
      (
        "/machine.slice/machine-libpod_pod_abc.slice/libpod-def.scope", [:],
        "/machine.slice/machine-libpod_pod_abc.slice/libpod-def.scope",
        "/machine.slice/machine-libpod_pod_abc.slice", nil
      ),
      ("/libpod_parent/pod/libpod-abc", [:], "/libpod_parent/pod/libpod-abc", "/libpod_parent/pod", nil),
      ("/libpod_parent/libpod-abc", [:], "/libpod_parent/libpod-abc", nil, nil),
      ("/system.slice/docker-abc.scope", cri, "/system.slice/docker-abc.scope", nil, nil),
      ("/test/shop/web", cri, "/test/shop/web", "/test/shop", nil),
      (
        "/a/x.scope/payload", ["run.oci.systemd.subgroup": "payload"], "/a/x.scope", nil, nil
      ),
      ("/a/x.scope/container/sub", ["run.oci.delegate-cgroup": "sub"], "/a/x.scope", nil, nil),
      ("/a/container", [:], "/a/container", nil, nil),
      ("/kubepods/pod1/\u{301}a", [:], "/kubepods/pod1/\u{301}a", "/kubepods/pod1", .guaranteed),
      ("\u{487}a//b", [:], "/\u{487}a/b", nil, nil),
      // systemd's names taken for paths: the class is in the name, and what is above is nobody's pod
      (
        "/system.slice/containerd.service/kubepods-besteffort-\(uid).slice:cri-containerd:abc", cri,
        "/system.slice/containerd.service/kubepods-besteffort-\(uid).slice:cri-containerd:abc", nil, .bestEffort
      ),
      (
        "/kubepods-besteffort-\(uid).slice:cri-containerd:abc", cri, "/kubepods-besteffort-\(uid).slice:cri-containerd:abc", nil,
        .bestEffort
      ),
      (
        "/a/b/kubelet-kubepods-burstable-\(uid).slice:crio:abc", cri, "/a/b/kubelet-kubepods-burstable-\(uid).slice:crio:abc",
        nil,
        .burstable
      ),
      ("/kubepods-\(uid).slice:crio:abc", cri, "/kubepods-\(uid).slice:crio:abc", nil, .guaranteed),
      ("/a/b/kubepods.slice:cri-containerd:abc", cri, "/a/b/kubepods.slice:cri-containerd:abc", nil, nil),
      ("/a/b/machine.slice:libpod:abc", cri, "/a/b/machine.slice:libpod:abc", nil, nil),
      // What is not understood is unknown
      ("/kubepods.slice/x.scope", [:], "/kubepods.slice/x.scope", nil, nil),
      ("/kubepods/x", [:], "/kubepods/x", nil, nil),
      ("/kubepods/critical/pod1/x", [:], "/kubepods/critical/pod1/x", "/kubepods/critical/pod1", nil),
      (
        "/kubepods-test.slice/kubepods-test-pod1.slice/x.scope", [:], "/kubepods-test.slice/kubepods-test-pod1.slice/x.scope",
        "/kubepods-test.slice/kubepods-test-pod1.slice", nil
      ),
      ("/kubepods.slice/kubepods-critical.slice/x.scope", [:], "/kubepods.slice/kubepods-critical.slice/x.scope", nil, nil),
      ("/mykubepods/pod1/x", [:], "/mykubepods/pod1/x", nil, nil),
      ("/my-kubepods-podless/x", [:], "/my-kubepods-podless/x", nil, nil),
      ("/kubepods-podcast.service/x", [:], "/kubepods-podcast.service/x", nil, nil),
      // A kubelet inside of a pod: it is the outer pod that counts on this node
      (
        "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podA.slice/kubepods.slice/kubepods-podB.slice/x.scope",
        [:],
        "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podA.slice/kubepods.slice/kubepods-podB.slice/x.scope",
        "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podA.slice/kubepods.slice/kubepods-podB.slice", .bestEffort
      ),
      // Never the whole system
      ("/x", ["run.oci.delegate-cgroup": "x"], "/x", nil, nil),
      ("/x.scope/x.scope", ["run.oci.delegate-cgroup": "x.scope", "run.oci.systemd.subgroup": "x.scope"], "/x.scope", nil, nil),
    ] as [(String, [String: String], String, String?, QoSClass?)])
  func `containers and pods are found`(
    _ cgroup: String, _ annotations: [String: String], _ container: String, _ pod: String?, _ qos: QoSClass?
  ) {
    let place = Placement(cgroup: cgroup, annotations: ContainerAnnotations(annotations))
    #expect(place.container == container)
    #expect(place.pod == pod)
    #expect(place.qos == qos)
  }

  @Test(
    arguments: [
      ("/kubepods.slice", "/kubepods.slice"),
      ("/kubelet.slice/kubelet-kubepods.slice/x", "/kubelet.slice/kubelet-kubepods.slice"),
      ("/kubepods/burstable/pod1/x", "/kubepods"), ("/a/kubepods-besteffort-podX.slice:cri-containerd:abc", nil),
      ("/mykubepods/pod1/x", nil), ("/kubepods-besteffort-podX.slice/x", nil),
    ] as [(String, String?)])
  func `only the kubelet's cgroup of all pods is taken for it`(_ cgroup: String, _ kubepods: String?) {
    #expect(Placement(cgroup: cgroup, annotations: ContainerAnnotations([:])).kubepods == kubepods)
  }
}
