/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a snapshot owns: memory that is freed as a whole, interned strings and
 * stacks, and the hash tables that find them and its rows.
 */
#ifndef KTRACE_INTERN_H
#define KTRACE_INTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Open addressing; ref is a pointer or a row number plus one, 0 in a free slot. */
struct slot {
	uint64_t hash;
	uintptr_t ref;
};

struct table {
	struct slot *slots;
	size_t used, size;
};

struct snapshot_store {
	struct chunk *chunks;
	struct table texts, stacks, chains, rows;
	const char **frames; /* of the stack that is being interned */
	size_t n_frames;
};

/* Adds a word to a hash. */
static inline uint64_t hash_word(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 32;
}

/* Makes room for one more entry. Returns 0 or -ENOMEM. */
int table_reserve(struct table *);
/* The slot that holds what is wanted, or the free one where it belongs. */
struct slot *table_slot(const struct table *, uint64_t hash, bool (*same)(uintptr_t, const void *),
			const void *want);
/* For table_slot(): the hash is all there is to compare. */
bool table_same_hash(uintptr_t ref, const void *want);
void table_put(struct table *, struct slot *, uint64_t hash, uintptr_t ref);

/* Zeroed memory that lives as long as the store; NULL when there is none. */
void *store_alloc(struct snapshot_store *, size_t size, size_t align);
void store_free(struct snapshot_store *);

#endif
