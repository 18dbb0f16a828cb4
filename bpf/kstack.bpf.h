/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The running task's kernel stack. Of objects that walk it; after ktrace.bpf.h. */
#ifndef KTRACE_KSTACK_BPF_H
#define KTRACE_KSTACK_BPF_H

#include "bpf/unwind.bpf.h"
#include "bpf/unwind_learn.bpf.h"

/* By the kernel's unwinder, and learned from. at, end: see unwind_learn(). */
static __always_inline __u64 kernel_walk(void *ctx, __u64 at, __u64 end)
{
	struct walk *walk;
	__u32 *level;
	__u64 id;

	walk = walk_begin(&level);
	if (!walk) {
		lose(stacks);
		return STACK_LOST;
	}
	id = stack_keep(walk, bpf_get_stack(ctx, walk->frames.ip, WALK_BYTES, 0));
	if (cfg.filter.unwind && id != STACK_LOST)
		unwind_learn(at, end, walk->level);
	walk_end(level);
	return id;
}

/* Kernel stack of the running task; the id to put in a key. */
static __always_inline __u64 kernel_stack_of_current(void *ctx)
{
	__u64 at, end, by_rules, id;
	bool known;

	if (!cfg.filter.unwind)
		return kernel_walk(ctx, 0, 0);
	unwind_bounds(ctx, &at, &end);
	by_rules = unwind_by_rules(at, end);
	known = by_rules && bpf_map_lookup_elem(&stacks, &by_rules);
	if (known && unwind_trusted())
		return by_rules;
	id = kernel_walk(ctx, at, end);
	if (known)
		unwind_check(by_rules, id);
	return id;
}

static __always_inline __u64 kstack_of_current(void *ctx)
{
	return WANT(WANT_KSTACK) ? kernel_stack_of_current(ctx) : STACK_NONE;
}

#endif
