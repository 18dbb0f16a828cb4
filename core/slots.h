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

/*
 * A map of slots, of which one piece at a time lies in our memory, as it is now: what is mapped
 * counts as ours, and all of it is the most of what spinlock has.
 */
struct slots_view {
	int fd;
	uint32_t slot_size, n;
	uint32_t first, end; /* slots that are mapped; none: both the same */
	const unsigned char *mem;
	size_t from,
	    len; /* bytes of the map before mem, and there; len 0: nothing to be unmapped */
};

/*
 * Rows and stacks take 16 MB each of all CPUs, less where these are few and more
 * where they are many; --row-storage-size and --stack-storage-size are of each CPU.
 */
void slots_plan(const struct plan *, struct slots *);

/* Maps nothing yet. */
void slots_open(struct slots_view *, const struct bpf_map *);
/* Takes an empty view, too. */
void slots_unmap(struct slots_view *);

/* Every row, those of several CPUs apart. Returns 0 or -errno. */
int slots_read(struct slots_view *, struct rowset *, uint32_t key_size, uint32_t value_size);
/*
 * The stack of slot i, which stays as it is, until the next call; NULL: it has none. Several CPUs
 * may have the same. Returns 0 or -errno.
 */
int slots_stack(struct slots_view *, uint32_t i, const struct slot_stack **);

#endif
