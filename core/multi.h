/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One program on many targets: one link for all of them where the kernel has that,
 * else one for each. The program learns its target's number from the attach cookie, or,
 * where there is none, from a copy of itself with the number in it.
 */
#ifndef KTRACE_MULTI_H
#define KTRACE_MULTI_H

#include <stdbool.h>
#include <stddef.h>

#include "core/fail.h"
#include "core/tool.h"

struct candidate;
struct session;
struct snapshot;

struct multi {
	int *links; /* of BPF, or perf events on kernels without */
	size_t n_links, room_links;
	bool slow;   /* there are perf events among them */
	int *copies; /* programs, one for each target */
	size_t n_copies, room_copies;
};

/* As what a program that attaches so is loaded. */
enum bpf_attach_type multi_attach_type(enum via);
/* Can this kernel attach so, with a program loaded as that? 0 or -errno. */
int multi_try(enum via, int program);
/*
 * Attaches the candidate's program to the session's targets of its kind. What the kernel
 * refuses is skipped and counted; *again when it refuses all. Returns OK, or FAILED or
 * CANNOT, said.
 */
enum status multi_attach(struct session *, struct candidate *, bool *again);
/* Ends the tracing; programs stay, and what they counted. */
void multi_detach(struct multi *);
/* leaving: the program ends, and what takes long may outlast it. */
void multi_close(struct session *, bool leaving);
/* "12 functions", interned in the snapshot. */
const char *multi_describe(const struct session *, const struct hook *, struct snapshot *);

#endif
