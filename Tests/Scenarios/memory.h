/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is there, not only mapped */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define MIB (1UL << 20)

static inline char *map(size_t size, int flags)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return p;
}

static inline void fill(char *p, size_t size)
{
	/* All at once, for a fault for each page takes as long again. Where that stops before the end, for want of memory, they follow. */
	madvise(p, size, MADV_POPULATE_WRITE);
	for (size_t at = 0; at < size; at += 4096)
		p[at] = 1;
}

static inline char *take(size_t size, int flags)
{
	char *p = map(size, flags);

	fill(p, size);
	return p;
}

/*
 * What a process has from its start: in huge pages of 1 MiB, half the time; no more of them later. What runs out of memory
 * does it page by page.
 */
static inline void start_with(size_t size, int flags)
{
	char *p;

	if (!size)
		return;
	p = map(size + MIB, flags);
	p += -(size_t)p % MIB;
	madvise(p, size, MADV_HUGEPAGE);
	fill(p, size);
	madvise(p, size, MADV_NOHUGEPAGE);
}
