internal import CLinux
internal import CSeccomp
internal import Glibc
public import OomletModel
internal import OomletSystem

/// The system calls that the agent needs once it has started (seccomp(2)). Any other returns EPERM and is noted.
public enum SystemCallFilter {
  /// Names that an architecture does not have are left out there.
  static let allowed = [
    // Files
    "access", "close", "dup3", "faccessat", "faccessat2", "fcntl", "fdatasync", "flock", "fstat", "fstatfs", "fsync",
    "ftruncate", "getdents64", "ioctl", "lseek", "lstat", "mkdir", "mkdirat", "newfstatat", "open", "openat", "pread64",
    "pwrite64", "read", "readlink", "readlinkat", "readv", "rename", "renameat", "renameat2", "stat", "statfs", "statx",
    "unlink", "unlinkat", "write", "writev",
    // Files and processes of containers
    "openat2", "pidfd_open",
    // Waiting
    "clock_nanosleep", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_wait", "eventfd2", "inotify_init1",
    "inotify_add_watch", "inotify_rm_watch", "nanosleep", "timerfd_create", "timerfd_settime", "poll", "ppoll", "restart_syscall",
    "sched_yield",
    // Sockets and their clients
    "accept4", "bind", "chmod", "fchmod", "listen", "socket", "getpeername", "getsockopt", "getsockname", "recvfrom", "recvmsg",
    "sendmsg", "sendto", "setsockopt", "shutdown",
    // Memory
    "brk", "futex", "madvise", "mmap", "mprotect", "mremap", "munmap",
    // BPF: what libbpf asks of the kernel before it loads a policy of the node's own
    "bpf", "perf_event_open", "prlimit64", "uname",
    // Itself, and the threads that serve metrics. Where a filter around this one refuses clone3, as systemd's RestrictNamespaces
    // does, a thread is made by clone; with all signals blocked, so that a trap would end the process
    "clone", "clone3", "prctl", "rseq", "set_robust_list",
    "clock_gettime", "exit", "exit_group", "getegid", "geteuid", "getgid", "getpid", "getrandom", "gettid", "gettimeofday",
    "getuid", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sched_getaffinity", "setpriority", "sysinfo", "tgkill",
  ]

  /// In force from here on, for good, in all threads.
  public static func install() throws(Failure) {
    // seccomp.h has these as macros
    let trap: UInt32 = 0x0003_0000
    let allow: UInt32 = 0x7fff_0000
    guard let filter = seccomp_init(trap) else { throw Failure(.failed, "cannot make the filter of system calls") }
    defer { seccomp_release(filter) }
    try check(seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1), "in all threads")
    for name in allowed {
      let number = seccomp_syscall_resolve_name(name)
      guard number >= 0 else { continue }
      try check(seccomp_rule_add_array(filter, allow, number, 0, nil), name)
    }
    // Whether a process lives; no signal
    var signal = scmp_arg_cmp(arg: 1, op: SCMP_CMP_EQ, datum_a: 0, datum_b: 0)
    try check(seccomp_rule_add_array(filter, allow, seccomp_syscall_resolve_name("kill"), 1, &signal), "kill")
    // To a process of a container: what relief may ask for
    for number in [SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGTERM] {
      var signal = scmp_arg_cmp(arg: 1, op: SCMP_CMP_EQ, datum_a: UInt64(number), datum_b: 0)
      try check(
        seccomp_rule_add_array(filter, allow, seccomp_syscall_resolve_name("pidfd_send_signal"), 1, &signal), "pidfd_send_signal")
    }
    guard clinux_refuse_trapped_calls() == 0 else { throw Failure(.failed, systemError("cannot handle SIGSYS")) }
    let result = seccomp_load(filter)
    guard result == 0 else { throw Failure(.unsupported, systemError("the kernel takes no filter of system calls", -result)) }
  }

  private static func check(_ result: CInt, _ name: String) throws(Failure) {
    guard result == 0 else { throw Failure(.failed, systemError("cannot filter system calls: \(name)", -result)) }
  }

  /// The names of the system calls that have been refused since the last call of this.
  public static func refused() -> [String] {
    var names: [String] = []
    while case let number = clinux_next_refused_call(), number >= 0 {
      let name = seccomp_syscall_resolve_num_arch(seccomp_arch_native(), number)
      names.append(name.map { String(cString: $0) } ?? String(number))
      free(name)
    }
    return names
  }
}
