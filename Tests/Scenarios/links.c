/* SPDX-License-Identifier: Apache-2.0 */
/*
 * links: what the kernel says is attached, one line for each struct_ops link:
 *
 *   LINK_ID CGROUP_ID MAP_NAME
 *
 * CGROUP_ID is the inode number of the cgroup's directory, 0 for none.
 */
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
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

int main(void)
{
	union bpf_attr next = {};

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
			printf("%u %llu %s\n", link.id, link.cgroup_id, map.name);
		}
		if (fd >= 0)
			close(fd);
	}
	return 0;
}
