import Foundation
import OomletPrivileges
import OomletSystem
import Testing

@Suite struct UnixSocketTests {
  private let path = FileManager.default.temporaryDirectory.appending(path: "oomlet-\(UUID().uuidString)").path

  @Test func `it takes the place of a dead one, is for its owner, and tells who is there`() throws {
    defer { unlink(path) }
    do { _ = try UnixListener(path, group: nil) }
    #expect(UnixConnection(to: path) == nil && errno == ECONNREFUSED)
    let listener = try UnixListener(path, group: nil)
    let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    #expect(mode == 0o600)
    let client = try #require(UnixConnection(to: path))
    let (accepted, none) = (listener.accept(), listener.accept())
    let server = try #require(accepted)
    #expect(server.peer == geteuid() && none == nil)
    #expect(client.send(Array("hello".utf8)[...]) == 5)
    guard case .bytes(let bytes) = server.receive(), case .nothing = server.receive() else {
      return #expect(Bool(false), "not received")
    }
    #expect(bytes == Array("hello".utf8))
  }

  @Test func `a group's id is in its file`() throws {
    defer { unlink(path) }
    try replaceFile(path, with: Array("root:x:0:\nbroken\noomlet:x:4242:a,b\nbad:x:y:\n".utf8))
    #expect(groupID("oomlet", file: path) == 4242 && groupID("oom", file: path) == nil && groupID("bad", file: path) == nil)
    #expect(groupID("oomlet", file: "/nonexistent") == nil)
  }

  @Test func `a service manager is told`() throws {
    let socket = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    defer { close(socket) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    defer { unlink(path) }
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
    try #require(bound == 0)
    setenv("NOTIFY_SOCKET", path, 1)
    let manager = ServiceManager()
    unsetenv("NOTIFY_SOCKET")
    ServiceManager().ready()
    manager.ready()
    manager.reloading()
    var buffer = [UInt8](repeating: 0, count: 256)
    #expect(String(decoding: buffer[..<recv(socket, &buffer, buffer.count, 0)], as: UTF8.self) == "READY=1")
    #expect(
      String(decoding: buffer[..<recv(socket, &buffer, buffer.count, 0)], as: UTF8.self).hasPrefix("RELOADING=1\nMONOTONIC_USEC=")
    )
  }
}

@Suite struct PrivilegesTests {
  /// In a process of its own, which can't get them back.
  @Test func `capabilities that are not kept are gone`() async {
    await #expect(processExitsWith: .exitCode(7)) {
      try Capability.keepOnly([.bpf])
      let left = Capability.effective ?? .max
      exit(left & ~(1 << UInt64(Capability.bpf.rawValue)) == 0 && chroot("/") != 0 ? 7 : 1)
    }
  }

  @Test func `a system call that is not on the list is refused and named, and the process goes on`() async {
    await #expect(processExitsWith: .exitCode(7)) {
      try SystemCallFilter.install()
      let refused = chroot("/") != 0 && errno == EPERM
      // Other threads of a test's process may ask for more
      let isNamed = SystemCallFilter.refused().contains("chroot") && !SystemCallFilter.refused().contains("chroot")
      exit(refused && isNamed && contents(of: "/proc/self/status") != nil ? 7 : 1)
    }
  }
}
