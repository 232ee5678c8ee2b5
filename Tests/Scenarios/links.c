/* SPDX-License-Identifier: Apache-2.0 */
/*
 * links: what the kernel says is attached, one line for each struct_ops link:
 *
 *   LINK_ID CGROUP_ID MAP_NAME
 *
 * CGROUP_ID is the inode number of the cgroup's directory, 0 for none.
 *
 * links DIRECTORY: the policies in force on that cgroup, a name each, on kernels without struct bpf_oom_ops as well.
 */
#include <fcntl.h>
#include <linux/bpf.h>
#include <oomlet_abi.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* struct bpf_link_info as far as this needs it; older headers lack cgroup_id */
struct link_info {
	__u32 type, id, prog_id, pad;
	__u32 map_id, pad2;
	__u64 cgroup_id;
	__u64 more[8];
};

static int bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int info(int fd, void *to, __u32 size)
{
	union bpf_attr attr = {};

	attr.info.bpf_fd = fd;
	attr.info.info = (__u64)(unsigned long)to;
	attr.info.info_len = size;
	return bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
}

/* What a pinned map of cgroup storage has for a cgroup. */
static int stored(const char *map, int cgroup, void *value)
{
	union bpf_attr attr = {};
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/fs/bpf/oomlet/v%d/maps/%s", OOMLET_ABI_VERSION, map);
	attr.pathname = (__u64)(unsigned long)path;
	fd = bpf(BPF_OBJ_GET, &attr);
	if (fd < 0)
		return 0;
	memset(&attr, 0, sizeof(attr));
	attr.map_fd = fd;
	attr.key = (__u64)(unsigned long)&cgroup;
	attr.value = (__u64)(unsigned long)value;
	return !bpf(BPF_MAP_LOOKUP_ELEM, &attr);
}

/* As a map's name would be. */
static void print_stored(const char *directory)
{
	static struct oomlet_params params;
	struct oomlet_attached attached;
	int cgroup = open(directory, O_RDONLY);

	if (cgroup < 0 || !stored("attached", cgroup, &attached))
		return;
	if (attached.kind != OOMLET_KIND_CONTAINER) {
		puts(attached.kind == OOMLET_KIND_POD ? "pod" : "system");
		return;
	}
	if (!stored("params", cgroup, &params))
		return;
	for (char *c = params.policy; *c; c++)
		if (*c == '-')
			*c = '_';
	printf("%.15s\n", params.policy);
}

int main(int argc, char **argv)
{
	union bpf_attr next = {};
	struct stat of = {};

	if (argc > 1 && stat(argv[1], &of))
		return 0;
	if (argc > 1)
		print_stored(argv[1]);

	while (!bpf(BPF_LINK_GET_NEXT_ID, &next)) {
		union bpf_attr attr = {};
		struct bpf_map_info map = {};
		struct link_info link = {};
		int fd;

		attr.link_id = next.start_id = next.next_id;
		fd = bpf(BPF_LINK_GET_FD_BY_ID, &attr);
		if (fd < 0)
			continue;
		if (!info(fd, &link, sizeof(link)) && link.type == BPF_LINK_TYPE_STRUCT_OPS) {
			close(fd);
			memset(&attr, 0, sizeof(attr));
			attr.map_id = link.map_id;
			fd = bpf(BPF_MAP_GET_FD_BY_ID, &attr);
			if (fd < 0 || info(fd, &map, sizeof(map)))
				strcpy(map.name, "-");
			if (argc == 1)
				printf("%u %llu %s\n", link.id, link.cgroup_id, map.name);
			else if (link.cgroup_id == of.st_ino)
				puts(map.name);
		}
		if (fd >= 0)
			close(fd);
	}
	return 0;
}
