/* SPDX-License-Identifier: Apache-2.0 */
/*
 * churn CGROUP MIB [COUNT]
 *
 * OOMs one after another: a child in the cgroup with that directory takes MIB of memory, or
 * is killed before it has them; then the next. COUNT times, or 60 ms apart until stdin ends.
 * Prints how many were killed.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory.h"

static void run(const char *procs, size_t size)
{
	FILE *f = fopen(procs, "w");

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!f || fputs("0", f) < 0 || fclose(f))
		_exit(1);
	take(size, MAP_PRIVATE);
	_exit(0);
}

int main(int argc, char **argv)
{
	struct pollfd in = { .fd = 0, .events = POLLIN };
	int killed = 0, count, i, status;
	char procs[512];
	pid_t pid;

	if (argc < 3)
		return 2;
	snprintf(procs, sizeof(procs), "%s/cgroup.procs", argv[1]);
	count = argc > 3 ? atoi(argv[3]) : -1;
	for (i = 0; count < 0 ? poll(&in, 1, 60) == 0 : i < count; i++) {
		pid = fork();
		if (!pid)
			run(procs, atoi(argv[2]) * MIB);
		if (pid < 0 || waitpid(pid, &status, 0) != pid || (WIFEXITED(status) && WEXITSTATUS(status)))
			return 1;
		killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	}
	printf("%d\n", killed);
	return 0;
}
