/* SPDX-License-Identifier: Apache-2.0 */
/* System calls and constants that Swift's Glibc module does not offer. */
#ifndef OOMLET_CLINUX_H
#define OOMLET_CLINUX_H

#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/sysinfo.h>
#include <sys/vfs.h>

/* signalfd(2) for the signals given, which it blocks in this thread; -1 and errno on failure */
int clinux_signalfd(const int *signals, int count);

enum {
	CLINUX_BPF_FS_MAGIC = 0xcafe4a11,
	CLINUX_CGROUP2_SUPER_MAGIC = 0x63677270,
};

#endif
