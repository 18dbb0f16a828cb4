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
	id = stack_keep(walk->level, bpf_get_stack(ctx, walk->frames.ip, WALK_BYTES, 0));
	if (cfg.filter.unwind && id != STACK_LOST)
		unwind_learn(at, end, walk->level);
	walk_end(level);
	return id;
}

/*
 * Kernel stack of the running task; the id to put in a key. there: whether a stack is kept under
 * id_; walk: the kernel's own, kept and learned from, see kernel_walk() for at_ and end_.
 */
#define KERNEL_STACK(ctx, there, walk)                        \
	({                                                    \
		__u64 at_ = 0, end_ = 0, id_ = 0, by_rules_;  \
		bool known_ = false;                          \
		if (cfg.filter.unwind) {                      \
			unwind_bounds(ctx, &at_, &end_);      \
			id_ = unwind_by_rules(at_, end_);     \
			known_ = id_ && (there);              \
		}                                             \
		if (!known_ || !unwind_trusted()) {           \
			by_rules_ = id_;                      \
			id_ = (walk);                         \
			if (known_)                           \
				unwind_check(by_rules_, id_); \
		}                                             \
		id_;                                          \
	})

static __always_inline __u64 kernel_stack_of_current(void *ctx)
{
	return KERNEL_STACK(ctx, bpf_map_lookup_elem(&stacks, &id_), kernel_walk(ctx, at_, end_));
}

static __always_inline __u64 kstack_of_current(void *ctx)
{
	return WANT(WANT_KSTACK) ? kernel_stack_of_current(ctx) : STACK_NONE;
}

#endif
