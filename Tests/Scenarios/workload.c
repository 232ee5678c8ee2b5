/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the scenarios' containers run: a supervisor with workers that use memory.
 *
 *   workload NAME=MIB[/ADJ]...
 *
 * Each worker is a process with comm NAME that has touched MIB of anonymous memory,
 * and oom_score_adj ADJ. One that dies is started anew, at its first size. Commands
 * come in lines through the FIFO /ctl/commands, what happens goes to stdout:
 *
 *   grow NAME MIB     the worker touches so much more, in steps of 1 MiB
 *   start NAME MIB    one more worker
 *   stop              the supervisor ends, and the container with it
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory.h"

#define MAX_WORKERS 64
#define COMMANDS "/ctl/commands"

static struct worker {
	char name[16];
	long mib;
	int adj;
	pid_t pid;
	int grow;	/* write end: MiB as a long */
} workers[MAX_WORKERS];
static int count;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void grow(long mib)
{
	while (mib-- > 0)
		take(MIB, MAP_PRIVATE);
}

static void work(struct worker *w, int orders, int ready)
{
	long mib;

	prctl(PR_SET_NAME, w->name);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (w->adj) {
		FILE *f = fopen("/proc/self/oom_score_adj", "w");

		if (!f || fprintf(f, "%d", w->adj) < 0 || fclose(f))
			die("oom_score_adj");
	}
	start_with(w->mib * MIB, MAP_PRIVATE);
	if (write(ready, "", 1) != 1)
		die("ready");
	while (read(orders, &mib, sizeof(mib)) == sizeof(mib))
		grow(mib);
	_exit(0);
}

static void start(struct worker *w)
{
	int grow[2], ready[2];
	char c;

	if (pipe2(grow, O_CLOEXEC) || pipe2(ready, O_CLOEXEC))
		die("pipe");
	w->pid = fork();
	if (w->pid < 0)
		die("fork");
	if (!w->pid) {
		close(grow[1]);
		close(ready[0]);
		work(w, grow[0], ready[1]);
	}
	close(grow[0]);
	close(ready[1]);
	w->grow = grow[1];
	/* 0 if it died before it was ready: reaped like any other */
	if (read(ready[0], &c, 1) < 0)
		die("read");
	close(ready[0]);
}

static struct worker *add(const char *name, long mib, int adj)
{
	struct worker *w = &workers[count++];

	if (count > MAX_WORKERS)
		exit(3);
	snprintf(w->name, sizeof(w->name), "%s", name);
	w->mib = mib;
	w->adj = adj;
	start(w);
	return w;
}

static void reap(void)
{
	int status, i;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (i = 0; i < count && workers[i].pid != pid; i++)
			;
		if (i == count)
			continue;
		close(workers[i].grow);
		start(&workers[i]);
		printf("worker %s pid %d died, restarted as pid %d\n", workers[i].name, pid, workers[i].pid);
	}
}

static void command(const char *line)
{
	char verb[16], name[16];
	long mib = 0;
	int i;

	if (sscanf(line, "%15s %15s %ld", verb, name, &mib) >= 1 && !strcmp(verb, "stop"))
		exit(0);
	if (!strcmp(verb, "start")) {
		struct worker *w = add(name, mib, 0);

		printf("worker %s pid %d started\n", w->name, w->pid);
		return;
	}
	for (i = 0; i < count; i++)
		if (!strcmp(workers[i].name, name) &&
		    write(workers[i].grow, &mib, sizeof(mib)) != sizeof(mib))
			die("grow");
}

static void wake(int signal)
{
	(void)signal;
}

int main(int argc, char **argv)
{
	struct pollfd p = { .events = POLLIN };
	sigset_t before, child;
	char buffer[4096];
	size_t have = 0;
	int i;

	setlinebuf(stdout);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, _exit);
	/* Nowhere but in ppoll() */
	signal(SIGCHLD, wake);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, &before);
	p.fd = open(COMMANDS, O_RDWR | O_CLOEXEC);
	for (i = 1; i < argc; i++) {
		char name[16];
		long mib;
		int adj = 0;

		if (sscanf(argv[i], "%15[^=]=%ld/%d", name, &mib, &adj) < 2) {
			fprintf(stderr, "workload: %s: expected NAME=MIB[/ADJ]\n", argv[i]);
			return 2;
		}
		add(name, mib, adj);
	}
	puts("ready");
	for (;;) {
		char *end;
		ssize_t n;

		reap();
		if (ppoll(&p, p.fd >= 0, NULL, &before) <= 0)
			continue;
		n = read(p.fd, buffer + have, sizeof(buffer) - have - 1);
		if (n <= 0)
			continue;
		buffer[have += n] = 0;
		while ((end = strchr(buffer, '\n'))) {
			*end++ = 0;
			command(buffer);
			have -= end - buffer;
			memmove(buffer, end, have + 1);
		}
	}
}
