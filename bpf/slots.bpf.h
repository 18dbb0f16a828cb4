/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Rows and stacks without a lock: see struct slots. A CPU writes only its own
 * slots, and one program at a time, for which the caller answers: not even an
 * interrupt may come between. What finds no slot within a few is lost, counted.
 * Part of an object whose cfg has `struct slots slots` and whose cpu_rows has
 * struct slot_head, key and value.
 */
#ifndef KTRACE_SLOTS_BPF_H
#define KTRACE_SLOTS_BPF_H

#include "bpf/kstack.bpf.h"

#define SLOT_PROBES 16

/* Its value is cut to filter.depth, so it has no types, as stacks; it is sized before load, as
 * is cpu_rows. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct slot_stack));
} cpu_stacks SEC(".maps");

/*
 * Slot i of those that may have the hash, in the table of n of this CPU. It wraps by a division,
 * for a branch in the loop would double the verifier's work each time.
 */
static __always_inline __u32 slot_index(__u32 cpu, __u32 n, __u64 hash, __u32 i)
{
	return cpu * n + (__u32)(((hash >> 32) * n >> 32) + i) % n;
}

/*
 * Where the stack of this id lies (SLOT_THERE) or is to be put; SLOT_NONE: nowhere. A function of
 * its own: the verifier goes through its probes once, and not for each way to come to it.
 */
#define SLOT_THERE (1U << 31)
#define SLOT_NONE (SLOT_THERE - 1)
__noinline __u32 slot_stack_find(__u64 id, __u32 cpu)
{
	__u32 n = cfg.slots.stacks, index, i;

	for (i = 0; i < SLOT_PROBES; i++) {
		struct slot_stack *slot;

		index = slot_index(cpu, n, id, i);
		slot = bpf_map_lookup_elem(&cpu_stacks, &index);
		if (!slot)
			break;
		if (slot->id == id)
			return index | SLOT_THERE;
		if (!slot->id)
			return index;
	}
	return SLOT_NONE;
}

/* Keeps the frames of the CPU's walk buffer; the id to put in a key. */
__noinline __u64 slot_stack_keep(__u32 cpu)
{
	__u32 zero = 0, index;
	const struct walk *walk = bpf_map_lookup_elem(&walks, &zero);
	struct slot_stack *slot;
	__u64 id;

	if (!walk)
		return STACK_LOST;
	id = stack_hash(walk, zero);
	index = slot_stack_find(id, cpu);
	if (index & SLOT_THERE)
		return id;
	slot = bpf_map_lookup_elem(&cpu_stacks, &index);
	if (!slot)
		return STACK_LOST;
	/* All of the walk: what is behind its n frames is not read. */
	bpf_probe_read_kernel(&slot->frames, WALK_BYTES + sizeof(walk->frames.n), walk);
	barrier();
	slot->id = id;
	return id;
}

/* Is the stack of this id in the CPU's table? */
static __always_inline bool slot_stack_there(__u64 id, __u32 cpu)
{
	return slot_stack_find(id, cpu) & SLOT_THERE;
}

/* As kernel_walk(). */
static __always_inline __u64 slot_walk(void *ctx, __u32 cpu, __u64 at, __u64 end)
{
	__u32 zero = 0;
	struct walk *walk = bpf_map_lookup_elem(&walks, &zero);
	__u64 id = STACK_LOST;
	long bytes;

	if (!walk)
		return STACK_LOST;
	bytes = bpf_get_stack(ctx, walk->frames.ip, WALK_BYTES, 0);
	if (bytes > 0) {
		walk->frames.n = (__u64)bytes / sizeof(walk->frames.ip[0]);
		id = slot_stack_keep(cpu);
	}
	if (id == STACK_LOST)
		lose(stacks);
	else if (cfg.filter.unwind)
		unwind_learn(at, end, 0);
	return id;
}

/* The running task's kernel stack, as kernel_stack_of_current() but without a lock. */
static __always_inline __u64 slot_kstack(void *ctx, __u32 cpu)
{
	return KERNEL_STACK(ctx, slot_stack_there(id_, cpu), slot_walk(ctx, cpu, at_, end_));
}

static __always_inline __u64 slot_hash(const __u64 *key, __u32 words)
{
	__u64 hash = words;
	__u32 i;

	for (i = 0; i < words; i++)
		hash = stack_mix(hash, key[i]);
	return hash;
}

/*
 * This CPU's row of a key of so many words, to be written between slot_open() and
 * slot_close(); NULL: no room, counted. A new one has gen 0, no key and zeros.
 */
static __always_inline void *slot_row(void *rows, const __u64 *key, __u32 words, __u32 cpu)
{
	__u32 n = cfg.slots.rows, index, i;
	__u64 hash = slot_hash(key, words);

	for (i = 0; i < SLOT_PROBES; i++) {
		struct slot_head *slot;

		index = slot_index(cpu, n, hash, i);
		slot = bpf_map_lookup_elem(rows, &index);
		if (!slot)
			break;
		if (!slot->gen)
			slot->hash = hash;
		if (slot->hash == hash)
			return slot;
	}
	lose(rows);
	return NULL;
}

/* The collector reads a row again whose gen is odd or has changed meanwhile. */
static __always_inline void slot_open(struct slot_head *slot)
{
	slot->gen++;
	barrier();
}

static __always_inline void slot_close(struct slot_head *slot)
{
	barrier();
	slot->gen++;
}

#endif
