/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slots (struct slots): the rows and stacks of BPF programs that must not take a
 * lock, a table for each CPU. How many, and how they are read.
 */
#ifndef KTRACE_SLOTS_H
#define KTRACE_SLOTS_H

#include "core/plan.h"
#include "core/rowset.h"

struct bpf_map;

/* A map of slots in our memory, as it is now. */
struct slots_view {
	const unsigned char *mem;
	size_t len; /* bytes mapped; 0: nothing is */
	uint32_t slot_size, n;
};

/*
 * Rows and stacks take 16 MB each of all CPUs, less where these are few and more
 * where they are many; --row-storage-size and --stack-storage-size are of each CPU.
 */
void slots_plan(const struct plan *, struct slots *);

/* Returns 0 or -errno; slots_unmap() takes an empty view, too. */
int slots_map(struct slots_view *, const struct bpf_map *);
void slots_unmap(struct slots_view *);

/* Every row, those of several CPUs apart. Returns 0 or -ENOMEM. */
int slots_read(const struct slots_view *, struct rowset *, uint32_t key_size, uint32_t value_size);
/* The stack of slot i, which stays as it is; NULL: it has none. Several CPUs may have the same. */
const struct slot_stack *slots_stack(const struct slots_view *, uint32_t i);

#endif
