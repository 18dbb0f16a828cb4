/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Equal strings and equal stacks are stored once, so that the keys of rows
 * compare as words.
 */
#include "core/intern.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/fmt.h"
#include "core/snapshot.h"

#define CHUNK_BYTES (64 * 1024)

struct chunk {
	struct chunk *next;
	size_t used, size;
	_Alignas(8) char data[];
};

void *store_alloc(struct snapshot_store *store, size_t size, size_t align)
{
	struct chunk *c = store->chunks;
	size_t at = c ? (c->used + align - 1) & ~(align - 1) : 0;

	if (!c || at > c->size || c->size - at < size) {
		size_t room = size > CHUNK_BYTES ? size : CHUNK_BYTES;

		c = calloc(1, sizeof(*c) + room);
		if (!c)
			return NULL;
		c->size = room;
		c->next = store->chunks;
		store->chunks = c;
		at = 0;
	}
	c->used = at + size;
	return c->data + at;
}

struct slot *table_slot(const struct table *t, uint64_t hash, bool (*same)(uintptr_t, const void *),
			const void *want)
{
	size_t i = hash & (t->size - 1);

	while (t->slots[i].ref) {
		if (same && t->slots[i].hash == hash && same(t->slots[i].ref, want))
			break;
		i = (i + 1) & (t->size - 1);
	}
	return &t->slots[i];
}

bool table_same_hash(uintptr_t ref, const void *want)
{
	(void)ref;
	(void)want;
	return true;
}

int table_reserve(struct table *t)
{
	struct table bigger = {.used = t->used, .size = t->size ? t->size * 2 : 256};

	if (t->used < t->size / 4 * 3)
		return 0;
	bigger.slots = calloc(bigger.size, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < t->size; i++)
		if (t->slots[i].ref)
			*table_slot(&bigger, t->slots[i].hash, NULL, NULL) = t->slots[i];
	free(t->slots);
	*t = bigger;
	return 0;
}

void table_put(struct table *t, struct slot *slot, uint64_t hash, uintptr_t ref)
{
	*slot = (struct slot){hash, ref};
	t->used++;
}

void store_free(struct snapshot_store *store)
{
	while (store && store->chunks) {
		struct chunk *next = store->chunks->next;

		free(store->chunks);
		store->chunks = next;
	}
	if (store) {
		free(store->texts.slots);
		free(store->stacks.slots);
		free(store->chains.slots);
		free(store->rows.slots);
		free(store->frames);
	}
	free(store);
}

struct bytes {
	const char *at;
	size_t len;
};

static bool same_text(uintptr_t ref, const void *want)
{
	const struct text *known = (const struct text *)ref;
	const struct bytes *bytes = want;

	return known->len == bytes->len && memcmp(known->s, bytes->at, bytes->len) == 0;
}

const char *snapshot_text(struct snapshot *s, const char *string, size_t len)
{
	struct table *t = &s->store->texts;
	struct bytes bytes = {string, strnlen(string, len)};
	uint64_t hash = bytes.len;
	struct slot *slot;
	struct text *copy;

	if (bytes.len > UINT32_MAX - 1)
		return NULL;
	for (size_t i = 0; i < bytes.len; i++)
		hash = hash_word(hash, (unsigned char)string[i]);
	if (table_reserve(t))
		return NULL;
	slot = table_slot(t, hash, same_text, &bytes);
	if (slot->ref)
		return ((const struct text *)slot->ref)->s;
	copy = store_alloc(s->store, sizeof(*copy) + bytes.len + 1, _Alignof(struct text));
	if (!copy)
		return NULL;
	memcpy(copy->s, string, bytes.len);
	copy->len = (uint32_t)bytes.len;
	copy->plain = fmt_is_plain(copy->s);
	table_put(t, slot, hash, (uintptr_t)copy);
	return copy->s;
}

struct frames {
	const char *const *frame;
	uint32_t n;
	bool cut;
};

static bool same_stack(uintptr_t ref, const void *want)
{
	const struct stack *known = (const struct stack *)ref;
	const struct frames *frames = want;

	/* Frames are interned: equal names are equal pointers. */
	return known->n == frames->n && known->cut == frames->cut &&
	       (frames->n == 0 ||
		memcmp(known->frame, frames->frame, frames->n * sizeof(*frames->frame)) == 0);
}

/* Interned names of n frames, in the store's scratch array. */
static const char **intern_frames(struct snapshot *s, const char *const *frame, uint32_t n)
{
	struct snapshot_store *store = s->store;

	if (store->n_frames < n || !store->frames) {
		const char **bigger = realloc(store->frames, (n + 1ULL) * sizeof(*bigger));

		if (!bigger)
			return NULL;
		store->frames = bigger;
		store->n_frames = n;
	}
	for (uint32_t i = 0; i < n; i++) {
		store->frames[i] = snapshot_text(s, frame[i], strlen(frame[i]));
		if (!store->frames[i])
			return NULL;
	}
	return store->frames;
}

const struct stack *snapshot_stack_interned(struct snapshot *s, const char *const *frame,
					    uint32_t n, bool cut)
{
	struct table *t = &s->store->stacks;
	struct frames frames = {frame, n, cut};
	uint64_t hash = hash_word(n, cut);
	struct slot *slot;
	struct stack *copy;

	if (table_reserve(t))
		return NULL;
	for (uint32_t i = 0; i < n; i++)
		hash = hash_word(hash, (uintptr_t)frame[i]);
	slot = table_slot(t, hash, same_stack, &frames);
	if (slot->ref)
		return (const struct stack *)slot->ref;
	copy = store_alloc(s->store, sizeof(*copy) + n * sizeof(*frame), _Alignof(struct stack));
	if (!copy)
		return NULL;
	copy->n = n;
	copy->cut = cut;
	if (n)
		memcpy(copy->frame, frame, n * sizeof(*frame));
	table_put(t, slot, hash, (uintptr_t)copy);
	return copy;
}

const struct stack *snapshot_stack(struct snapshot *s, const char *const *frame, uint32_t n,
				   bool cut)
{
	const char **names = intern_frames(s, frame, n);

	return names ? snapshot_stack_interned(s, names, n, cut) : NULL;
}

struct links {
	const struct link *link;
	uint32_t n;
};

static bool same_chain(uintptr_t ref, const void *want)
{
	const struct chain *known = (const struct chain *)ref;
	const struct links *links = want;
	uint32_t i;

	for (i = 0; i < known->n && i < links->n; i++)
		if (known->link[i].waker != links->link[i].waker ||
		    known->link[i].kstack != links->link[i].kstack)
			return false;
	return known->n == links->n;
}

const struct chain *snapshot_chain(struct snapshot *s, const struct link *link, uint32_t n)
{
	struct table *t = &s->store->chains;
	struct links links = {link, n};
	uint64_t hash = n;
	struct slot *slot;
	struct chain *copy;

	if (table_reserve(t))
		return NULL;
	for (uint32_t i = 0; i < n; i++)
		hash =
		    hash_word(hash_word(hash, (uintptr_t)link[i].waker), (uintptr_t)link[i].kstack);
	slot = table_slot(t, hash, same_chain, &links);
	if (slot->ref)
		return (const struct chain *)slot->ref;
	copy = store_alloc(s->store, sizeof(*copy) + n * sizeof(*link), _Alignof(struct chain));
	if (!copy)
		return NULL;
	copy->n = n;
	for (uint32_t i = 0; i < n; i++)
		copy->link[i] = link[i];
	table_put(t, slot, hash, (uintptr_t)copy);
	return copy;
}
