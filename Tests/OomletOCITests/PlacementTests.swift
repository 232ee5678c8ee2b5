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
}
