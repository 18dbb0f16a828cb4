/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Walked stacks by their ids, as BPF programs keep them: in a hash map, or in slots. A few are
 * asked for one by one; from then on all are read together, for a system call each would be
 * a third of a report. A stack that is there is never deleted and its id never means another.
 */
#ifndef KTRACE_STACK_STORE_H
#define KTRACE_STACK_STORE_H

#include "bpf/shared.h"
#include "core/intern.h"

struct map_calls;
struct slots_view;

struct stack_store {
	int fd;                   /* map stacks; -1: none */
	struct slots_view *slots; /* in place of that map; NULL: none */
	uint32_t depth;           /* frames of a stack at most */
	const struct map_calls *calls;
	unsigned asked; /* one by one */
	/* Those read together: pieces (see STACK_PIECE), each from where the index says, and one.
	 */
	uint64_t *words;
	size_t n_words, room;
	struct table index;
};

/* Words of an entry of map stacks whose stacks have so many frames at most. */
static inline uint32_t stack_piece_words(uint32_t depth)
{
	return depth + 1 < STACK_PIECE ? depth + 1 : STACK_PIECE;
}

/* slots: NULL where it is a map. Nothing is read yet. */
void stack_store_init(struct stack_store *, int map_fd, struct slots_view *slots, uint32_t depth);
/* Returns 0, -ENOENT: it is not there, or -errno when the map could not be read. */
int stack_store_find(struct stack_store *, uint64_t id, struct stack_frames *);
/* Forgets what was read. It can be asked again. */
void stack_store_forget(struct stack_store *);

#endif
