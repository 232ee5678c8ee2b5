/* SPDX-License-Identifier: Apache-2.0 */
/*
 * churn CGROUP MIB [COUNT]
 *
 * OOMs one after another: a child in the cgroup with that directory takes MIB of memory, or
 * is killed before it has them; then the next. COUNT times, or until stdin ends. Prints how
 * many were killed.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void take(const char *procs, size_t size)
{
	FILE *f = fopen(procs, "w");
	size_t at;
	char *p;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!f || fputs("0", f) < 0 || fclose(f))
		_exit(1);
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		_exit(1);
	madvise(p, size, MADV_POPULATE_WRITE);
	for (at = 0; at < size; at += 4096)
		p[at] = 1;
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
	for (i = 0; count < 0 ? poll(&in, 1, 0) == 0 : i < count; i++) {
		pid = fork();
		if (!pid)
			take(procs, (size_t)atoi(argv[2]) << 20);
		if (pid < 0 || waitpid(pid, &status, 0) != pid || (WIFEXITED(status) && WEXITSTATUS(status)))
			return 1;
		killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	}
	printf("%d\n", killed);
	return 0;
}
