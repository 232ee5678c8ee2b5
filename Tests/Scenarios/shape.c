/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shape CGROUP NAME [anon=MIB] [shmem=MIB] [sparse=MIB] [adj=N] [threads=N] [vfork=1] [leaderless=1]
 *       [ignore=SIGNAL]
 *
 * A process in the cgroup with that directory, with comm NAME and memory of each kind: sparse is anonymous memory that has
 * as much in page tables; a vfork child shares all of it; without its leader only another
 * thread is left. Prints "ready", then takes a line on stdin for each step:
 *
 *   grow MIB        that much more anonymous memory, then prints "done"
 *   creep MIB S     the same, evenly within so many seconds
 *   hit MIB FILE    the same, until the file, a memory.events, counts an OOM
 *   exhaust FILE    all the memory there is, until one of the processes dies whose PIDs are
 *                   in the file; then ends at once
 *   warm MIB FILE   reads that much of the file once, then prints "done"
 *   thrash MIB FILE reads that much of the file page by page, at random, for ever
 *   stream FILE     reads the file from its beginning to its end, for ever
 *   stick MIB FILE  reads that much of the file from its disk at once, during which nothing ends it
 *   serve FILE      wakes up every 10 ms and works with a little memory, for ever; writes into the
 *                   file how long after it should have woken up it was through, in us
 *
 * and ends with stdin.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "memory.h"

/* Anonymous memory that has as much in page tables: a page of each 2 MiB */
static void sparse(size_t mib)
{
	size_t pages = mib * MIB / 4096;
	char *p;

	if (!mib)
		return;
	p = map(pages * 2 * MIB, MAP_PRIVATE);
	while (pages--)
		p[pages * 2 * MIB] = 1;
}

static void creep(size_t mib, unsigned int seconds)
{
	for (size_t i = 0; i < mib; i++) {
		take(MIB, MAP_PRIVATE);
		usleep(seconds * 1000000 / mib);
	}
}

static long count(const char *events, const char *event)
{
	char key[32];
	long value = 0;
	FILE *f = fopen(events, "r");

	while (f && fscanf(f, "%31s %ld", key, &value) == 2 && strcmp(key, event))
		;
	if (f)
		fclose(f);
	return value;
}

static int open_file(const char *name)
{
	int fd = open(name, O_RDONLY);

	if (fd < 0) {
		perror(name);
		exit(1);
	}
	return fd;
}

static bool is_dead(int stat)
{
	char text[128] = "";
	ssize_t length = pread(stat, text, sizeof(text) - 1, 0);
	char *name_end = length > 0 ? strrchr(text, ')') : NULL;

	return !name_end || strchr("ZX", name_end[2]);
}

/* Locked, for at that point everything else is read from disk again and again. Not every kill is in memory.events. */
static void exhaust(const char *pids)
{
	FILE *f = fopen(pids, "r");
	int stats[256], count = 0, pid;
	char name[32];

	while (f && count < 256 && fscanf(f, "%d", &pid) == 1) {
		snprintf(name, sizeof(name), "/proc/%d/stat", pid);
		stats[count++] = open_file(name);
	}
	mlockall(MCL_CURRENT);
	for (;;) {
		for (int i = 0; i < count; i++)
			if (is_dead(stats[i]))
				_exit(0);
		take(MIB, MAP_PRIVATE);
	}
}

static void hit(size_t mib, const char *events)
{
	long before = count(events, "oom");

	for (size_t at = 0; at < 4 * mib && count(events, "oom") == before; at++)
		take(MIB / 4, MAP_PRIVATE);
}

static void warm(size_t mib, const char *name)
{
	static char buffer[1 << 16];
	int fd = open_file(name);

	for (size_t at = 0; at < mib * MIB; at += sizeof(buffer))
		if (pread(fd, buffer, sizeof(buffer), at) <= 0)
			exit(1);
	close(fd);
}

static void thrash(size_t mib, const char *name)
{
	int fd = open_file(name);
	char page[4096];

	posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
	for (;;)
		if (pread(fd, page, sizeof(page), random() % (mib * MIB / sizeof(page)) * sizeof(page)) < 0)
			exit(1);
}

static void stream(const char *name)
{
	static char buffer[1 << 16];
	int fd = open_file(name);

	for (;;)
		if (read(fd, buffer, sizeof(buffer)) <= 0)
			lseek(fd, 0, SEEK_SET);
}

/* Past the files in memory: the task waits for the disk and for nothing else */
static void stick(size_t mib, const char *name)
{
	int fd = open(name, O_RDONLY | O_DIRECT);

	if (fd < 0 || pread(fd, map(mib * MIB, MAP_PRIVATE), mib * MIB, 0) < 0) {
		perror(name);
		exit(1);
	}
}

static void serve(const char *name)
{
	FILE *f = fopen(name, "w");
	struct timespec due, now;

	for (;;) {
		clock_gettime(CLOCK_MONOTONIC, &due);
		due.tv_nsec += 10000000;
		due.tv_sec += due.tv_nsec / 1000000000;
		due.tv_nsec %= 1000000000;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
		munmap(take(2 * MIB, MAP_PRIVATE), 2 * MIB);
		clock_gettime(CLOCK_MONOTONIC, &now);
		fprintf(f, "%ld\n", (now.tv_sec - due.tv_sec) * 1000000 + (now.tv_nsec - due.tv_nsec) / 1000);
		fflush(f);
	}
}

static void done(void)
{
	puts("done");
	fflush(stdout);
}

static void *obey(void *unused)
{
	char line[256], name[256];
	int mib, seconds;

	(void)unused;
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		if (sscanf(line, "exhaust %255s", name) == 1) {
			exhaust(name);
		} else if (sscanf(line, "thrash %d %255s", &mib, name) == 2) {
			thrash(mib, name);
		} else if (sscanf(line, "stream %255s", name) == 1) {
			stream(name);
		} else if (sscanf(line, "stick %d %255s", &mib, name) == 2) {
			stick(mib, name);
		} else if (sscanf(line, "serve %255s", name) == 1) {
			serve(name);
		} else if (sscanf(line, "warm %d %255s", &mib, name) == 2) {
			warm(mib, name);
			done();
		} else if (sscanf(line, "hit %d %255s", &mib, name) == 2) {
			hit(mib, name);
			done();
		} else if (sscanf(line, "creep %d %d", &mib, &seconds) == 2) {
			creep(mib, seconds);
			done();
		} else if (sscanf(line, "grow %d", &mib) == 1) {
			take(mib * MIB, MAP_PRIVATE);
			done();
		}
	_exit(0);
}

static void *idle(void *unused)
{
	for (;;)
		pause();
	return unused;
}

int main(int argc, char **argv)
{
	int i, value, threads = 0, share = 0, leaderless = 0;
	char key[16], procs[512];
	pthread_t t;
	FILE *f;

	if (argc < 3)
		return 2;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(procs, sizeof(procs), "%s/cgroup.procs", argv[1]);
	f = fopen(procs, "w");
	if (!f || fputs("0", f) < 0 || fclose(f))
		return 1;
	for (i = 3; i < argc; i++) {
		if (sscanf(argv[i], "%15[^=]=%d", key, &value) != 2)
			return 2;
		if (!strcmp(key, "anon")) {
			start_with(value * MIB, MAP_PRIVATE);
		} else if (!strcmp(key, "shmem")) {
			start_with(value * MIB, MAP_SHARED);
		} else if (!strcmp(key, "sparse")) {
			sparse(value);
		} else if (!strcmp(key, "adj")) {
			f = fopen("/proc/self/oom_score_adj", "w");
			if (!f || fprintf(f, "%d", value) < 0 || fclose(f))
				return 1;
		} else if (!strcmp(key, "threads")) {
			threads = value;
		} else if (!strcmp(key, "vfork")) {
			share = value;
		} else if (!strcmp(key, "ignore")) {
			signal(value, SIG_IGN);
		} else if (!strcmp(key, "leaderless")) {
			leaderless = value;
		} else {
			return 2;
		}
	}
	for (i = 0; i < threads; i++)
		pthread_create(&t, NULL, idle, NULL);
	prctl(PR_SET_NAME, argv[2]);
	if (leaderless) {
		pthread_create(&t, NULL, obey, NULL);
		pthread_exit(NULL);
	}
	if (share) {
		/* The parent waits in vfork() for as long as its child lives */
		pthread_create(&t, NULL, obey, NULL);
		if (!vfork()) {
			prctl(PR_SET_NAME, "child");
			for (;;)
				pause();
		}
	}
	obey(NULL);
}
