import Glibc
@testable import OomletSystem
import Testing

@Suite struct CgroupViewTests {
  @Test func `what is mounted is the namespace's root: paths are as they are`() {
    let view = CgroupView(mount: "/", namespace: "/")
    #expect(view.path("/") == "/")
    #expect(view.path("/a/b") == "/a/b")
    #expect(view.path("/../b") == nil)
  }

  @Test func `what is mounted is above the namespace's root: paths are below that, or beside it`() {
    let view = CgroupView(mount: "/../..", namespace: "/pods/agent")
    #expect(view.path("/") == "/pods/agent")
    #expect(view.path("/own") == "/pods/agent/own")
    #expect(view.path("/../other/x") == "/pods/other/x")
    #expect(view.path("/../..") == "/")
    #expect(view.path("/../../..") == nil)
  }

  @Test func `what is mounted is elsewhere: only what is below it is seen`() {
    let view = CgroupView(mount: "/../pod", namespace: nil)
    #expect(view.path("/../pod") == "/")
    #expect(view.path("/../pod/a") == "/a")
    #expect(view.path("/../podium") == nil)
    #expect(view.path("/") == nil)
  }

  @Test func `the namespace's root is found by who is in it`() throws {
    var template = Array("/tmp/oomlet-view-XXXXXX".utf8CString)
    let root = String(cString: try #require(mkdtemp(&template)))
    defer { system("rm -r \(root)") }
    for directory in ["/pods", "/pods/a", "/pods/a/x", "/pods/b", "/pods/b/x"] { #expect(mkdir(root + directory, 0o755) == 0) }
    let processes = ["/pods/a/x": "7\n71\n", "/pods/b/x": "8\n42\n"]
    for (path, text) in processes { try replaceFile("\(root)\(path)/cgroup.procs", with: Array(text.utf8)) }
    func view(of pid: pid_t, mount: String, own: String = "/x") -> CgroupView {
      let mountInfo =
        "24 1 0:22 / /sys rw - sysfs sysfs rw\n30 24 0:26 \(mount) \(root) rw,nosuid shared:4 - cgroup2 cgroup2 rw\n"
      return CgroupView(
        mountInfo: Array(mountInfo.utf8), ownCgroup: Array("0::\(own)\n".utf8), mountPoint: root, pid: pid)
    }
    #expect(view(of: 42, mount: "/../..").namespace == "/pods/b")
    #expect(view(of: 7, mount: "/../..").namespace == "/pods/a")
    #expect(view(of: 1, mount: "/../..").namespace == nil)
    #expect(view(of: 42, mount: "/../../..").namespace == nil)
    #expect(view(of: 42, mount: "/../..", own: "/../b/x").path("/../a/x") == "/pods/a/x")
    #expect(view(of: 42, mount: "/").path("/x") == "/x")
    #expect(view(of: 42, mount: "/../pods").path("/../pods/a") == "/a")
  }
}
