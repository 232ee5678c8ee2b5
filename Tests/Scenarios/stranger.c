/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stranger CGROUP_DIRECTORY...: attaches the policy of stranger.bpf.o to them, says "ready", and
 * holds it until its stdin ends.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <unistd.h>

enum { LINK = 1 << 13, SLEEPABLE = 1 << 4, CGROUP_FD = 1 << 7, STRUCT_OPS = 44 };

int main(int argc, char **argv)
{
	char path[4096];
	struct bpf_object *object;
	struct bpf_program *program;
	struct bpf_map *map;
	struct bpf_link *staged;
	char c;
	int i;

	snprintf(path, sizeof(path), "%s.bpf.o", argv[0]);
	object = bpf_object__open(path);
	if (!object)
		return perror(path), 1;
	program = bpf_object__find_program_by_name(object, "decline");
	map = bpf_object__find_map_by_name(object, "stranger");
	bpf_program__set_flags(program, SLEEPABLE);
	bpf_map__set_map_flags(map, LINK);
	if (bpf_object__load(object))
		return perror("load"), 1;
	/* libbpf only writes the map's value so, for want of a cgroup */
	staged = bpf_map__attach_struct_ops(map);
	if (!staged)
		return perror("attach"), 1;
	bpf_link__disconnect(staged);
	for (i = 1; i < argc; i++) {
		LIBBPF_OPTS(bpf_link_create_opts, options, .flags = CGROUP_FD);
		int cgroup = open(argv[i], O_RDONLY | O_DIRECTORY);

		/* Kernels differ in whether they want the flag, or refuse it */
		if (bpf_link_create(bpf_map__fd(map), cgroup, STRUCT_OPS, &options) < 0 &&
		    bpf_link_create(bpf_map__fd(map), cgroup, STRUCT_OPS, NULL) < 0)
			return perror(argv[i]), 1;
	}
	puts("ready");
	fflush(stdout);
	return read(0, &c, 1) < 0;
}
