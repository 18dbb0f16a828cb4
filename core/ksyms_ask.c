// SPDX-License-Identifier: GPL-2.0-or-later
/* One symbol's address, by a BPF program that asks the kernel (5.16) and runs once. */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <unistd.h>

#include "core/ksyms.h"

struct question {
	char name[128];
	uint64_t address;
};

/* The stack as it is laid out below the frame pointer. */
#define NAME_AT (-(int)sizeof(struct question))
#define ADDRESS_AT (NAME_AT + (int)offsetof(struct question, address))

#define INSN(code_, dst_, src_, off_, imm_)                                           \
	{                                                                             \
		.code = (code_), .dst_reg = (dst_), .src_reg = (src_), .off = (off_), \
		.imm = (imm_)                                                         \
	}
#define LOAD(dst, src, off) INSN(BPF_LDX | BPF_MEM | BPF_DW, dst, src, off, 0)
#define STORE(dst, off, src) INSN(BPF_STX | BPF_MEM | BPF_DW, dst, src, off, 0)
#define MOVE(dst, src) INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define SET(dst, imm) INSN(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm)
#define ADD(dst, imm) INSN(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, imm)
#define COPY(word) \
	LOAD(BPF_REG_1, BPF_REG_6, 8 * (word)), STORE(BPF_REG_10, NAME_AT + 8 * (word), BPF_REG_1)
#define COPY_FOUR(word) COPY(word), COPY((word) + 1), COPY((word) + 2), COPY((word) + 3)

/* The helper takes a name on the stack only. */
static const struct bpf_insn program[] = {
    MOVE(BPF_REG_6, BPF_REG_1),
    COPY_FOUR(0),
    COPY_FOUR(4),
    COPY_FOUR(8),
    COPY_FOUR(12),
    COPY(16),
    MOVE(BPF_REG_1, BPF_REG_10),
    ADD(BPF_REG_1, NAME_AT),
    SET(BPF_REG_2, sizeof(((struct question *)0)->name)),
    SET(BPF_REG_3, 0),
    MOVE(BPF_REG_4, BPF_REG_10),
    ADD(BPF_REG_4, ADDRESS_AT),
    INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_kallsyms_lookup_name),
    LOAD(BPF_REG_1, BPF_REG_10, ADDRESS_AT),
    STORE(BPF_REG_6, offsetof(struct question, address), BPF_REG_1),
    INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
};

int ksyms_ask(const char *name, uint64_t *address)
{
	LIBBPF_OPTS(bpf_prog_load_opts, load, .prog_flags = BPF_F_SLEEPABLE);
	LIBBPF_OPTS(bpf_test_run_opts, run);
	struct question question = {};
	size_t len = strlen(name);
	int fd, err = 0;

	if (len >= sizeof(question.name))
		return -ENAMETOOLONG;
	fd = bpf_prog_load(BPF_PROG_TYPE_SYSCALL, NULL, "GPL", program,
			   sizeof(program) / sizeof(program[0]), &load);
	if (fd < 0)
		return -errno;
	memcpy(question.name, name, len);
	run.ctx_in = &question;
	run.ctx_size_in = sizeof(question);
	if (bpf_prog_test_run_opts(fd, &run))
		err = -errno;
	close(fd);
	*address = question.address;
	return err ? err : (int)run.retval;
}
