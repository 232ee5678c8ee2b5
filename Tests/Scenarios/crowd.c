/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crowd DIRECTORY CGROUPS TASKS
 *
 * Makes cgroups c0, c1... in that one and puts TASKS idle processes into them, evenly.
 * Prints "ready" and stays until stdin ends; they die with it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Born there: to move a process takes several times as long. */
static int idle_in(int cgroup)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = cgroup };
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return pid < 0;
}

int main(int argc, char **argv)
{
	int cgroups, tasks, i, n, fd;
	char path[512], c;

	if (argc != 4)
		return 2;
	cgroups = atoi(argv[2]);
	tasks = atoi(argv[3]);
	for (i = 0; i < cgroups; i++) {
		snprintf(path, sizeof(path), "%s/c%d", argv[1], i);
		if (mkdir(path, 0755))
			return 1;
		fd = open(path, O_PATH | O_CLOEXEC);
		for (n = i; n < tasks; n += cgroups)
			if (idle_in(fd))
				return 1;
		close(fd);
	}
	puts("ready");
	fflush(stdout);
	return read(0, &c, 1) < 0;
}
