/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crowd DIRECTORY CGROUPS TASKS
 *
 * Makes cgroups c0, c1... in that one and puts TASKS idle processes into them, evenly.
 * Prints "ready" and stays until stdin ends; they die with it.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int cgroups, tasks, i;
	char path[512], c;

	if (argc != 4)
		return 2;
	cgroups = atoi(argv[2]);
	tasks = atoi(argv[3]);
	for (i = 0; i < cgroups; i++) {
		snprintf(path, sizeof(path), "%s/c%d", argv[1], i);
		if (mkdir(path, 0755))
			return 1;
	}
	for (i = 0; i < tasks; i++) {
		FILE *f;
		pid_t pid = fork();

		if (pid < 0)
			return 1;
		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
		snprintf(path, sizeof(path), "%s/c%d/cgroup.procs", argv[1], i % cgroups);
		f = fopen(path, "w");
		if (!f || fprintf(f, "%d", pid) < 0 || fclose(f))
			return 1;
	}
	puts("ready");
	fflush(stdout);
	return read(0, &c, 1) < 0;
}
