import Foundation
import OomletModel
import OomletSystem
import Testing

@testable import OomletAgent

@Suite struct MountsTests {
  private static let mounts = Mounts(
    Array(
      """
      20 1 0:30 / / rw,relatime - overlay overlay rw
      21 20 0:31 / /proc rw shared:5 master:1 - proc proc rw
      22 20 0:32 / /dev rw - tmpfs tmpfs rw
      23 22 0:33 / /dev/shm rw - tmpfs shm rw
      24 20 0:34 / /nfs rw - nfs4 server:/x rw
      25 24 0:35 / /nfs/cache rw - tmpfs tmpfs rw
      26 20 8:1 /a /disk rw - ext4 /dev/sda1 rw
      27 26 0:36 / /disk/with\\040space rw - tmpfs tmpfs rw
      28 20 0:37 / /over rw - tmpfs tmpfs rw
      29 28 0:38 / /over rw - fuse.sshfs sshfs rw
      30 20 0:39 / /hidden/below rw - tmpfs tmpfs rw
      31 20 0:40 / /hidden rw - ext4 x rw
      32 20 7:0 / /img rw - fuseblk /dev/loop0 rw
      torn 1 0

      """.utf8))

  @Test(arguments: [("/dev/shm", 23), ("/dev/shm/a/b", 23), ("/dev", 22), ("/disk/with space/x", 27)])
  func `a tmpfs is found by its place`(_ path: String, _ id: Int) throws {
    #expect(try MountsTests.mounts.tmpfs(path).id == id)
  }

  @Test(
    arguments: [
      ("/etc", "is not in a tmpfs"), ("/disk/a", "is not in a tmpfs"), ("/devel", "is not in a tmpfs"),
      ("/nfs/cache", "behind /nfs, a file system (nfs4) that may not answer"), ("/nfs", "(nfs4)"), ("/over/a", "(fuse.sshfs)"),
      ("/hidden/below", "(ext4) that may not answer"), ("/img", "(fuseblk)"), ("/proc", "(proc)"),
    ])
  func `what is none, or can't be reached without waiting, is refused unseen`(_ path: String, _ why: String) {
    let failure = #expect(throws: Failure.self) { _ = try MountsTests.mounts.tmpfs(path) }
    #expect(failure?.description.contains(why) == true, "\(failure?.description ?? "")")
  }
}

/// A process that has a tmpfs of its own, where this is allowed.
private final class Stranger {
  let process = Process()
  let directory = "/tmp/oomlet-\(UUID().uuidString)"
  var pid: Int32 { process.processIdentifier }

  init(_ setup: String) throws {
    try makeDirectory(directory)
    process.executableURL = URL(filePath: "/usr/bin/unshare")
    process.arguments = [
      "--user", "--map-root-user", "--mount", "sh", "-ec",
      "mount -t tmpfs own \(directory); cd \(directory); \(setup); touch ready; exec sleep 60",
    ]
    try process.run()
    let end = monotonicNanoseconds() + 20_000_000_000
    while !exists("ready"), monotonicNanoseconds() < end { usleep(10_000) }
  }

  deinit {
    process.terminate()
    process.waitUntilExit()
    rmdir(directory)
  }

  func exists(_ name: String) -> Bool { access("/proc/\(pid)/root\(directory)/\(name)", F_OK) == 0 }

  func delete(_ glob: String) throws -> ReliefJob.Result {
    var deletion = FileDeletion([try PathGlob("\(directory)/\(glob)")], until: .max)
    return deletion.run(1 << 40, in: try ContainerRoot(of: pid))
  }

  static let isPossible: Bool = {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/unshare")
    process.arguments = ["--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "x", "/tmp"]
    process.standardError = FileHandle.nullDevice
    return (try? process.run()).map { process.waitUntilExit() } != nil && process.terminationStatus == 0
  }()
}

@Suite(.enabled(if: Stranger.isPossible), .timeLimit(.minutes(1))) struct ContainerRootTests {
  @Test func `files of its own go, and no link leads to others`() throws {
    let stranger = try Stranger(
      "mkdir shm app deep deep/er; ln -s ../shm app/cache; ln -s shm link; echo x >shm/other; echo x >app/own; echo x >deep/er/own; ln -s deep step"
    )
    #expect(try stranger.delete("app/*").files == 1)
    #expect(!stranger.exists("app/own") && stranger.exists("app/cache/other"))
    for glob in ["app/cache/*", "link/*", "step/er/*"] {
      let result = try stranger.delete(glob)
      #expect(result.outcome == .failed && result.files == 0)
      #expect(result.message.contains("a symbolic link is on the way to \(stranger.directory)/"), "\(glob): \(result.message)")
    }
    // A link is no file of the pattern either
    #expect(try stranger.delete("**").files == 3)
    #expect(!stranger.exists("shm/other") && !stranger.exists("deep/er/own"))
  }

  @Test func `what was mounted meanwhile is not touched`() throws {
    let stranger = try Stranger("mkdir late; echo x >late/file")
    let root = try ContainerRoot(of: stranger.pid)
    let mount = Process()
    mount.executableURL = URL(filePath: "/usr/bin/nsenter")
    mount.arguments = [
      "--target", "\(stranger.pid)", "--user", "--mount", "--preserve-credentials", "mount", "-t", "tmpfs", "x",
      "\(stranger.directory)/late",
    ]
    try mount.run()
    mount.waitUntilExit()
    try #require(mount.terminationStatus == 0)
    let failure = #expect(throws: Failure.self) { _ = try root.tmpfs("\(stranger.directory)/late") }
    #expect(failure?.description.contains("has been mounted") == true, "\(failure?.description ?? "")")
  }
}
