/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/stack_store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/grow.h"
#include "core/rowset.h"
#include "core/slots.h"

/* One by one takes 2 us each; all together 0.3 us for each that there is. */
#define ASKED_SINGLY 64
#define BATCH 512

void stack_store_init(struct stack_store *store, int map_fd, const struct slots_view *slots,
		      uint32_t depth)
{
	*store = (struct stack_store){
	    .fd = map_fd, .slots = slots, .depth = depth, .calls = &map_calls_kernel};
}

void stack_store_forget(struct stack_store *store)
{
	free(store->words);
	free(store->index.slots);
	store->words = NULL;
	store->n_words = store->room = 0;
	store->index = (struct table){0};
	store->asked = 0;
}

static uint64_t depth_of(const struct stack_store *store, const struct stack_frames *frames)
{
	return frames->n < store->depth ? frames->n : store->depth;
}

static int add(struct stack_store *store, uint64_t id, const struct stack_frames *frames)
{
	uint64_t n = depth_of(store, frames);
	struct slot *slot;

	if (table_reserve(&store->index) || grow((void **)&store->words, &store->room,
						 store->n_words + 1 + n, sizeof(uint64_t), 4096))
		return -ENOMEM;
	slot = table_slot(&store->index, id, table_same_hash, NULL);
	if (slot->ref) /* several CPUs may have it */
		return 0;
	table_put(&store->index, slot, id, store->n_words + 1);
	store->words[store->n_words++] = n;
	memcpy(store->words + store->n_words, (const void *)frames->ip, n * sizeof(uint64_t));
	store->n_words += n;
	return 0;
}

static int read_slots(struct stack_store *store)
{
	const struct slot_stack *slot;
	int err = 0;
	uint32_t i;

	for (i = 0; i < store->slots->n && !err; i++) {
		slot = slots_stack(store->slots, i);
		if (slot)
			err = add(store, slot->id, &slot->frames);
	}
	return err;
}

/* Batches go through a small buffer, for the map has all stacks at their full depth. */
static int read_map(struct stack_store *store)
{
	struct rowset batch = {.key_size = sizeof(uint64_t),
			       .value_size = (1 + store->depth) * sizeof(uint64_t)};
	struct map_pass pass = {.fd = store->fd, .calls = store->calls, .want = BATCH};
	int err = 0;
	uint64_t id;
	size_t i;

	while (!err && !pass.ended) {
		batch.n = 0;
		err = rowset_read_batch(&batch, &pass);
		for (i = 0; i < batch.n && !err; i++) {
			memcpy(&id, rowset_key(&batch, i), sizeof(id));
			err = add(store, id, rowset_value(&batch, i));
		}
	}
	rowset_free(&batch);
	return err;
}

static int find_singly(const struct stack_store *store, uint64_t id, struct stack_frames *frames)
{
	if (store->calls->lookup(store->fd, &id, frames))
		return -errno;
	frames->n = depth_of(store, frames);
	return 0;
}

/* NULL: it is not among those read together. */
static const struct slot *find_read(const struct stack_store *store, uint64_t id)
{
	const struct slot *slot;

	if (!store->index.size)
		return NULL;
	slot = table_slot(&store->index, id, table_same_hash, NULL);
	return slot->ref ? slot : NULL;
}

int stack_store_find(struct stack_store *store, uint64_t id, struct stack_frames *frames)
{
	const struct slot *slot;
	const uint64_t *words;

	/* Once; what a map did not give then is asked for as before: without batches all is. */
	if (!store->slots && store->asked++ == ASKED_SINGLY)
		(void)read_map(store);
	slot = find_read(store, id);
	if (!slot && store->slots) {
		int err = read_slots(store); /* the first time, or it came since */

		if (err)
			return err;
		slot = find_read(store, id);
	}
	if (!slot)
		return store->slots ? -ENOENT : find_singly(store, id, frames);
	words = store->words + slot->ref - 1;
	frames->n = words[0];
	memcpy((void *)frames->ip, words + 1, words[0] * sizeof(uint64_t));
	return 0;
}
