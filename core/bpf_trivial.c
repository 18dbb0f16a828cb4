// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/bpf_trivial.h"

#include <bpf/bpf.h>
#include <errno.h>

/* return 0; */
static const struct bpf_insn trivial[] = {
    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
    {.code = BPF_JMP | BPF_EXIT},
};

int bpf_trivial_load(enum bpf_prog_type type, enum bpf_attach_type attach, uint32_t btf_id)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = attach,
		    .attach_btf_id = btf_id);
	int fd =
	    bpf_prog_load(type, NULL, "GPL", trivial, sizeof(trivial) / sizeof(trivial[0]), &opts);

	return fd >= 0 ? fd : -errno;
}
