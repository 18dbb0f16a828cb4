// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mapset NAME WORD...: writes these 64-bit words into element 0 of all BPF array maps of that
 * name whose values are as long: what a program in the kernel would have found, at will.
 */
#include "workload.h"

#include <linux/bpf.h>

static int map_fd(uint32_t id)
{
	union bpf_attr attr = {.map_id = id};

	return (int)syscall(SYS_bpf, BPF_MAP_GET_FD_BY_ID, &attr, sizeof(attr));
}

static bool is_named(int fd, const char *name, size_t bytes)
{
	struct bpf_map_info info = {0};
	union bpf_attr attr = {
	    .info = {.bpf_fd = (uint32_t)fd, .info_len = sizeof(info), .info = (uintptr_t)&info}};

	return !syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)) &&
	       info.type == BPF_MAP_TYPE_ARRAY && info.value_size == bytes &&
	       !strncmp(info.name, name, sizeof(info.name) - 1);
}

static void set(int fd, const uint64_t *words)
{
	uint32_t zero = 0;
	union bpf_attr attr = {
	    .map_fd = (uint32_t)fd, .key = (uintptr_t)&zero, .value = (uintptr_t)words};

	if (syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr)))
		die("BPF_MAP_UPDATE_ELEM");
}

int main(int argc, char **argv)
{
	union bpf_attr next = {0};
	uint64_t words[8];
	size_t n = 0, maps = 0;

	if (argc < 3 || argc > 10)
		die("usage: mapset NAME WORD... (up to 8)");
	for (char **word = argv + 2; *word; word++)
		words[n++] = number(*word);
	while (!syscall(SYS_bpf, BPF_MAP_GET_NEXT_ID, &next, sizeof(next))) {
		int fd = map_fd(next.next_id);

		if (fd >= 0 && is_named(fd, argv[1], n * sizeof(*words))) {
			set(fd, words);
			maps++;
		}
		if (fd >= 0)
			close(fd);
		next.start_id = next.next_id;
	}
	printf("{\"workload\":\"mapset\",\"maps\":%zu}\n", maps);
	return maps ? 0 : 1;
}
