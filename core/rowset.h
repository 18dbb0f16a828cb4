/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys and values of a BPF hash map as read in one pass. */
#ifndef KTRACE_ROWSET_H
#define KTRACE_ROWSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpf_map_batch_opts;

struct rowset {
	uint32_t key_size, value_size;
	size_t n, cap;
	unsigned char *keys, *values;
	uint32_t *index; /* open addressing, row number + 1; made by rowset_find() */
	size_t index_size;
};

/* How a map is asked; for tests. */
struct map_calls {
	int (*batch)(int fd, void *in, void *out, void *keys, void *values, uint32_t *count,
		     const struct bpf_map_batch_opts *);
	int (*next_key)(int fd, const void *key, void *next);
	int (*lookup)(int fd, const void *key, void *value);
};

extern const struct map_calls map_calls_kernel;

/* A pass over a map in batches. All but fd, calls and want begin as 0. */
struct map_pass {
	int fd;
	const struct map_calls *calls;
	uint32_t want; /* rows of a batch; grows when a bucket of the map has more */
	uint32_t at;   /* the kernel's */
	bool begun, ended;
};

/*
 * Appends the next batch (Linux 5.6) to rows; sets ended after the last. What was in the map
 * before the pass, and stays there, comes once; what is put meanwhile may come or not. Returns
 * 0 or -errno.
 */
int rowset_read_batch(struct rowset *, struct map_pass *);
/* Reads the whole map. Returns 0 or -errno; rowset_free() takes a half-read one. */
int rowset_read(struct rowset *, int map_fd, uint32_t key_size, uint32_t value_size);
/* The same, of a map that is asked by calls. */
int rowset_read_by(struct rowset *, const struct map_calls *, int map_fd, uint32_t key_size,
		   uint32_t value_size);
/* Adds a copy. Returns 0 or -ENOMEM. */
int rowset_add(struct rowset *, const void *key, const void *value);
/* Value of a key, or NULL; -ENOMEM makes it NULL too. */
const void *rowset_find(struct rowset *, const void *key);
/* Adds a row whose value is u64s; to one with the same key, each of them. 0 or -ENOMEM. */
int rowset_sum(struct rowset *, const void *key, const void *value);
/* Row from takes the place of row to; n is the caller's. Not after rowset_find(). */
void rowset_move(struct rowset *, size_t to, size_t from);
/* What was in to is freed; it has what from had, which is empty then. */
void rowset_take(struct rowset *to, struct rowset *from);
void rowset_free(struct rowset *);

static inline const void *rowset_key(const struct rowset *rows, size_t i)
{
	return rows->keys + i * rows->key_size;
}

static inline void *rowset_value(const struct rowset *rows, size_t i)
{
	return rows->values + i * rows->value_size;
}

#endif
