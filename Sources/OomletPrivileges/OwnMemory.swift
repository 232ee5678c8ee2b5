internal import CLinux
internal import Glibc
public import OomletModel
internal import OomletSystem

/// What keeps this process going when the node is short of memory.
public enum OwnMemory {
  /// What is in memory stays there, and so does what comes to it. Not the whole program: most of it is never used again
  /// after the start.
  public static func lock() throws(Failure) {
    // Also what comes when CAP_IPC_LOCK is gone
    var unlimited = rlimit(rlim_cur: rlim_t.max, rlim_max: rlim_t.max)
    setrlimit(__rlimit_resource_t(UInt32(CLINUX_RLIMIT_MEMLOCK)), &unlimited)
    guard mlockall(MCL_CURRENT | MCL_FUTURE | CInt(CLINUX_MCL_ONFAULT)) == 0 else {
      throw Failure(.notPermitted, systemError("cannot lock memory"))
    }
  }

  /// What the start took and freed goes back to the kernel.
  public static func returnFree() { malloc_trim(0) }

  /// The last to be killed for want of memory, short of never.
  public static func makeLastVictim() throws(Failure) {
    guard let file = openFile("/proc/self/oom_score_adj", O_WRONLY), writeAll(file.raw, Array("-999".utf8)) else {
      throw Failure(.notPermitted, systemError("cannot set oom_score_adj to -999"))
    }
  }
}
