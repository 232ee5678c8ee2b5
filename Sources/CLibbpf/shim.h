#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

/* What a print function of libbpf's is called with, as a string to free(); NULL if there is no memory */
static inline char *clibbpf_text(const char *format, va_list arguments)
{
	va_list again;
	char *text;
	int length;

	va_copy(again, arguments);
	length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (length < 0 || !(text = malloc((size_t)length + 1)))
		return NULL;
	vsnprintf(text, (size_t)length + 1, format, arguments);
	return text;
}

/* BPF_LINK_CREATE with link_create.cgroup.expected_revision, which libbpf has since 1.6: refused (ESTALE) unless the cgroup's
 * policies are as they were at that revision; 1: it has never had one. The link's descriptor, or -1 and errno.
 */
static inline int clibbpf_link_create_at(int map, int cgroup, uint32_t attach_type, uint64_t expected_revision)
{
	struct {
		uint32_t map_fd, target_fd, attach_type, flags, relative_fd, pad;
		uint64_t expected_revision;
	} attr = { (uint32_t)map, (uint32_t)cgroup, attach_type, 0, 0, 0, expected_revision };

	return (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
}

/* Positions and lengths in a ring buffer, which the kernel reads and writes meanwhile (kernel/bpf/ringbuf.c) */
static inline unsigned long clibbpf_load_position(const void *position)
{
	return __atomic_load_n((const unsigned long *)position, __ATOMIC_ACQUIRE);
}

static inline uint32_t clibbpf_load_length(const void *header)
{
	return __atomic_load_n((const uint32_t *)header, __ATOMIC_ACQUIRE);
}

static inline void clibbpf_store_position(unsigned long *position, unsigned long value)
{
	__atomic_store_n(position, value, __ATOMIC_RELEASE);
}
