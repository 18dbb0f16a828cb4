// SPDX-License-Identifier: GPL-2.0-or-later
/* bpfids: the ids of all BPF programs and links that the kernel holds now. */
#include "workload.h"

#include <linux/bpf.h>

static void put_ids(const char *key, int next_id_cmd)
{
	union bpf_attr attr = {0};
	const char *comma = "";

	printf(",\"%s\":[", key);
	while (!syscall(SYS_bpf, next_id_cmd, &attr, sizeof(attr))) {
		printf("%s%u", comma, attr.next_id);
		attr.start_id = attr.next_id;
		comma = ",";
	}
	putchar(']');
}

int main(void)
{
	printf("{\"workload\":\"bpfids\"");
	put_ids("programs", BPF_PROG_GET_NEXT_ID);
	put_ids("links", BPF_LINK_GET_NEXT_ID);
	printf("}\n");
	return 0;
}
