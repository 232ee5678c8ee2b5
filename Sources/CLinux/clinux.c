/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "CLinux.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <ucontext.h>
#include <unistd.h>

int clinux_signalfd(const int *signals, int count)
{
	sigset_t set;
	int i;

	sigemptyset(&set);
	for (i = 0; i < count; i++)
		sigaddset(&set, signals[i]);
	if (pthread_sigmask(SIG_BLOCK, &set, NULL))
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int clinux_next_signal(int fd)
{
	struct signalfd_siginfo info;

	return read(fd, &info, sizeof(info)) == sizeof(info) ? (int)info.ssi_signo : 0;
}

static int unix_address(const char *path, struct sockaddr_un *address, socklen_t *length)
{
	size_t size = strlen(path);

	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	if (size >= sizeof(address->sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address->sun_path, path, size);
	*length = offsetof(struct sockaddr_un, sun_path) + size + 1;
	if (path[0] == '@') {
		address->sun_path[0] = 0;
		--*length;
	}
	return 0;
}

static int unix_socket(const char *path, int type, int (*attach)(int, const struct sockaddr *, socklen_t))
{
	struct sockaddr_un address;
	socklen_t length;
	int fd;

	if (unix_address(path, &address, &length))
		return -1;
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && attach(fd, (struct sockaddr *)&address, length)) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

int clinux_unix_listen(const char *path, int backlog)
{
	int fd = unix_socket(path, SOCK_STREAM, bind);

	if (fd >= 0 && listen(fd, backlog)) {
		close(fd);
		return -1;
	}
	return fd;
}

int clinux_unix_connect(const char *path) { return unix_socket(path, SOCK_STREAM, connect); }

int clinux_unix_connect_datagrams(const char *path) { return unix_socket(path, SOCK_DGRAM, connect); }

int clinux_accept(int fd) { return accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK); }

int clinux_peer(int fd, struct clinux_peer *peer)
{
	struct ucred credentials;
	socklen_t size = sizeof(credentials);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size))
		return -1;
	peer->pid = credentials.pid;
	peer->uid = credentials.uid;
	return 0;
}

int clinux_keep_capabilities(uint64_t kept)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	int i;

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) && errno != EINVAL)
		return -1;
	/* Needs CAP_SETPCAP; without that there is nothing to gain either, for nothing is executed */
	for (i = 0; prctl(PR_CAPBSET_READ, i) >= 0; i++)
		if (!(kept >> i & 1))
			prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
	if (syscall(SYS_capget, &header, data))
		return -1;
	for (i = 0; i < 2; i++) {
		data[i].permitted &= (uint32_t)(kept >> 32 * i);
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &header, data))
		return -1;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* What the filter has refused; written by the handler of SIGSYS in the thread that reads it */
static volatile sig_atomic_t refused[64];
static volatile sig_atomic_t refused_count;

static void refuse(int signal, siginfo_t *info, void *context)
{
	ucontext_t *registers = context;

	(void)signal;
	if (refused_count < (int)(sizeof(refused) / sizeof(refused[0])))
		refused[refused_count++] = info->si_syscall;
#if defined(__x86_64__)
	registers->uc_mcontext.gregs[REG_RAX] = -EPERM;
#elif defined(__aarch64__)
	registers->uc_mcontext.regs[0] = -EPERM;
#else
#error "which register has the result of a system call?"
#endif
}

int clinux_refuse_trapped_calls(void)
{
	struct sigaction action = { .sa_sigaction = refuse, .sa_flags = SA_SIGINFO };

	return sigaction(SIGSYS, &action, NULL);
}

int clinux_next_refused_call(void) { return refused_count ? refused[--refused_count] : -1; }

int clinux_open_root(int32_t pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/root", pid);
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int open_beneath(int directory, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = {
		.flags = flags | O_DIRECTORY | O_CLOEXEC,
		.resolve = resolve | RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};

	return syscall(SYS_openat2, directory, path, &how, sizeof(how));
}

int clinux_find_directory_beneath(int directory, const char *path) { return open_beneath(directory, path, O_PATH, 0); }

int clinux_open_directory_beneath(int directory, const char *path)
{
	return open_beneath(directory, path, O_RDONLY, RESOLVE_NO_XDEV);
}

int clinux_lock_byte(int fd, int64_t byte)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

	return fcntl(fd, F_OFD_SETLK, &lock);
}

int clinux_pidfd_open(int32_t pid) { return syscall(SYS_pidfd_open, pid, 0); }

int clinux_pidfd_send_signal(int pidfd, int signal) { return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0); }

int32_t clinux_thread_id(void) { return syscall(SYS_gettid); }

void clinux_name_thread(const char *name) { prctl(PR_SET_NAME, name); }

static void do_nothing(int signal) { (void)signal; }

int clinux_prepare_interrupts(void)
{
	/* Without SA_RESTART: what it interrupts ends */
	struct sigaction action = { .sa_handler = do_nothing };

	return sigaction(SIGURG, &action, NULL);
}

void clinux_interrupt(unsigned long thread) { pthread_kill(thread, SIGURG); }
