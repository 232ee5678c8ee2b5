/* SPDX-License-Identifier: Apache-2.0 */
/* System calls and constants that Swift's Glibc module does not offer. */
#ifndef OOMLET_CLINUX_H
#define OOMLET_CLINUX_H

#include <malloc.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/sysinfo.h>
#include <sys/vfs.h>

/* signalfd(2) for the signals given, which it blocks in this thread; -1 and errno on failure */
int clinux_signalfd(const int *signals, int count);

/* The next signal of a signalfd; 0: none */
int clinux_next_signal(int fd);

/* Unix sockets that don't block; a path that starts with @ is an abstract name. -1 and errno on failure */
int clinux_unix_listen(const char *path, int backlog);
int clinux_unix_connect(const char *path);
int clinux_unix_connect_datagrams(const char *path);
int clinux_accept(int fd);

/* Who had connected (SO_PEERCRED); -1 and errno on failure */
struct clinux_peer {
	int32_t pid;
	uint32_t uid;
};
int clinux_peer(int fd, struct clinux_peer *peer);

/* Drops all capabilities but those in the set (bit n: capability n), for good: none is gained
 * by executing a program either. -1 and errno on failure
 */
int clinux_keep_capabilities(uint64_t kept);

/* System calls that a seccomp filter traps return EPERM, and are noted; -1 and errno on failure */
int clinux_refuse_trapped_calls(void);
/* The number of one of them, each once; -1: no more. At most 64 are noted until they are asked for */
int clinux_next_refused_call(void);

/* A process's root directory, not opened for anything but to start from (O_PATH); -1 and errno on failure */
int clinux_open_root(int32_t pid);

/* A directory below another one, never up, and through no link, as where to start from (O_PATH) or to be read; the latter
 * is in the same mount (openat2(2)). -1 and errno on failure
 */
int clinux_find_directory_beneath(int directory, const char *path);
int clinux_open_directory_beneath(int directory, const char *path);

/* A lock on one byte of a file, which need not have it, until the file is closed; -1 and errno on failure, EAGAIN or
 * EACCES if another has it
 */
int clinux_lock_byte(int fd, int64_t byte);

/* A process that stays the same one (pidfd_open(2)), and a signal to it. -1 and errno on failure */
int clinux_pidfd_open(int32_t pid);
int clinux_pidfd_send_signal(int pidfd, int signal);

/* This thread, as ps(1) and /proc have it */
int32_t clinux_thread_id(void);
void clinux_name_thread(const char *name);

/* A signal that does nothing but to interrupt the system call it finds a thread in; -1 and errno on failure */
int clinux_prepare_interrupts(void);
void clinux_interrupt(unsigned long thread);

enum {
	CLINUX_BPF_FS_MAGIC = 0xcafe4a11,
	CLINUX_CGROUP2_SUPER_MAGIC = 0x63677270,
	CLINUX_RLIMIT_MEMLOCK = RLIMIT_MEMLOCK,
	CLINUX_MCL_ONFAULT = MCL_ONFAULT,
};

#endif
