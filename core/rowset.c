// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/rowset.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 2048
#define MOST_ROWS (1u << 20) /* of a batch; buckets are short, but for a bad hash */
#define FIRST_ROWS 64

const struct map_calls map_calls_kernel = {
    .batch = bpf_map_lookup_batch,
    .next_key = bpf_map_get_next_key,
    .lookup = bpf_map_lookup_elem,
};

static int rowset_reserve(struct rowset *rows, size_t more)
{
	size_t cap = rows->cap ? rows->cap : FIRST_ROWS;
	unsigned char *grown;

	if (rows->n + more <= rows->cap)
		return 0;
	while (cap < rows->n + more)
		cap *= 2;
	grown = reallocarray(rows->keys, cap, rows->key_size);
	if (!grown)
		return -ENOMEM;
	rows->keys = grown;
	grown = reallocarray(rows->values, cap, rows->value_size);
	if (!grown)
		return -ENOMEM;
	rows->values = grown;
	rows->cap = cap;
	return 0;
}

int rowset_read_batch(struct rowset *rows, struct map_pass *pass)
{
	uint32_t count, next;
	int err;

	do {
		if (rowset_reserve(rows, pass->want))
			return -ENOMEM;
		count = pass->want;
		err = pass->calls->batch(pass->fd, pass->begun ? &pass->at : NULL, &next,
					 rows->keys + rows->n * rows->key_size,
					 rows->values + rows->n * rows->value_size, &count, NULL)
			  ? -errno
			  : 0;
		if (err == -ENOSPC) /* a bucket that does not fit, and nothing else was given */
			pass->want *= 2;
	} while (err == -ENOSPC && pass->want <= MOST_ROWS);
	if (err && err != -ENOENT)
		return err;
	rows->n += count;
	pass->at = next;
	pass->begun = true;
	pass->ended = err == -ENOENT;
	return 0;
}

static int read_singly(struct rowset *rows, const struct map_calls *calls, int fd)
{
	const void *from = NULL;
	int err;

	for (rows->n = 0;; rows->n++) {
		if (rowset_reserve(rows, 1))
			return -ENOMEM;
		/* rows may have moved */
		from = rows->n ? rowset_key(rows, rows->n - 1) : NULL;
		err = calls->next_key(fd, from, rows->keys + rows->n * rows->key_size) ? -errno : 0;
		if (err)
			return err == -ENOENT ? 0 : err;
		if (calls->lookup(fd, rowset_key(rows, rows->n), rowset_value(rows, rows->n)))
			return -errno;
	}
}

int rowset_read_by(struct rowset *rows, const struct map_calls *calls, int map_fd,
		   uint32_t key_size, uint32_t value_size)
{
	struct map_pass pass = {.fd = map_fd, .calls = calls, .want = BATCH};
	int err = 0;

	memset(rows, 0, sizeof(*rows));
	rows->key_size = key_size;
	rows->value_size = value_size;
	while (!err && !pass.ended)
		err = rowset_read_batch(rows, &pass);
	/* Kernels before 5.6, or a map type without batches. */
	if (err == -EINVAL || err == -ENOTSUP || err == -524 /* ENOTSUPP */)
		err = read_singly(rows, calls, map_fd);
	return err;
}

int rowset_read(struct rowset *rows, int map_fd, uint32_t key_size, uint32_t value_size)
{
	return rowset_read_by(rows, &map_calls_kernel, map_fd, key_size, value_size);
}

static uint64_t key_hash(const struct rowset *rows, const unsigned char *key)
{
	uint64_t hash = 14695981039346656037ULL;
	uint32_t i;

	for (i = 0; i < rows->key_size; i++)
		hash = (hash ^ key[i]) * 1099511628211ULL;
	return hash ^ hash >> 32;
}

static size_t index_slot(const struct rowset *rows, const void *key)
{
	size_t slot = key_hash(rows, key) & (rows->index_size - 1);

	while (rows->index[slot] &&
	       memcmp(rowset_key(rows, rows->index[slot] - 1), key, rows->key_size))
		slot = (slot + 1) & (rows->index_size - 1);
	return slot;
}

int rowset_add(struct rowset *rows, const void *key, const void *value)
{
	if (rowset_reserve(rows, 1))
		return -ENOMEM;
	memcpy(rows->keys + rows->n * rows->key_size, key, rows->key_size);
	memcpy(rows->values + rows->n * rows->value_size, value, rows->value_size);
	rows->n++;
	return 0;
}

static int index_build(struct rowset *rows)
{
	size_t i;

	rows->index_size = 16;
	while (rows->index_size <= rows->n * 2)
		rows->index_size *= 2;
	rows->index = calloc(rows->index_size, sizeof(*rows->index));
	if (!rows->index)
		return -ENOMEM;
	for (i = 0; i < rows->n; i++)
		rows->index[index_slot(rows, rowset_key(rows, i))] = (uint32_t)i + 1;
	return 0;
}

const void *rowset_find(struct rowset *rows, const void *key)
{
	uint32_t found;

	if (!rows->n || (!rows->index && index_build(rows)))
		return NULL;
	found = rows->index[index_slot(rows, key)];
	return found ? rowset_value(rows, found - 1) : NULL;
}

int rowset_sum(struct rowset *rows, const void *key, const void *value)
{
	unsigned char *at;
	uint64_t now, more;
	uint32_t i;

	if (!rows->index || rows->n * 2 >= rows->index_size) {
		free(rows->index);
		rows->index = NULL;
		if (rowset_reserve(rows, 1) || index_build(rows))
			return -ENOMEM;
	}
	if (!rows->index[index_slot(rows, key)]) {
		if (rowset_reserve(rows, 1))
			return -ENOMEM;
		memcpy(rows->keys + rows->n * rows->key_size, key, rows->key_size);
		memcpy(rowset_value(rows, rows->n), value, rows->value_size);
		rows->index[index_slot(rows, key)] = (uint32_t)++rows->n;
		return 0;
	}
	at = rowset_value(rows, rows->index[index_slot(rows, key)] - 1);
	for (i = 0; i + sizeof(now) <= rows->value_size; i += sizeof(now)) {
		memcpy(&now, at + i, sizeof(now));
		memcpy(&more, (const unsigned char *)value + i, sizeof(more));
		now += more;
		memcpy(at + i, &now, sizeof(now));
	}
	return 0;
}

void rowset_move(struct rowset *rows, size_t to, size_t from)
{
	memmove(rows->keys + to * rows->key_size, rowset_key(rows, from), rows->key_size);
	memmove(rowset_value(rows, to), rowset_value(rows, from), rows->value_size);
}

void rowset_take(struct rowset *to, struct rowset *from)
{
	rowset_free(to);
	*to = *from;
	memset(from, 0, sizeof(*from));
}

void rowset_free(struct rowset *rows)
{
	free(rows->keys);
	free(rows->values);
	free(rows->index);
	memset(rows, 0, sizeof(*rows));
}
