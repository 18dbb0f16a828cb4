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

void stack_store_init(struct stack_store *store, int map_fd, struct slots_view *slots,
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

/* A piece's place in the index: the low bits of ids say too little. */
static uint64_t index_hash(uint64_t piece_id)
{
	return piece_id >> 3 | piece_id << 61;
}

static int put_piece(struct stack_store *store, uint64_t piece_id, const uint64_t *words, size_t n)
{
	struct slot *slot;

	if (table_reserve(&store->index) ||
	    grow((void **)&store->words, &store->room, store->n_words + n, sizeof(uint64_t), 4096))
		return -ENOMEM;
	slot = table_slot(&store->index, index_hash(piece_id), table_same_hash, NULL);
	if (slot->ref) /* several CPUs may have it */
		return 0;
	table_put(&store->index, slot, index_hash(piece_id), store->n_words + 1);
	memcpy(store->words + store->n_words, words, n * sizeof(uint64_t));
	store->n_words += n;
	return 0;
}

static size_t depth_of(const struct stack_store *store, uint64_t n_frames)
{
	return n_frames < store->depth ? n_frames : store->depth;
}

/* Words of a piece that are kept: of a shallow stack the frames that it has. */
static size_t words_kept(const struct stack_store *store, uint64_t piece_id, const uint64_t *words)
{
	size_t room = stack_piece_words(store->depth);

	if (piece_id & ~STACK_ID_MASK)
		return room;
	return words[0] + 1 < room ? words[0] + 1 : room;
}

/* A slot has the stack whole. */
static int put_slot(struct stack_store *store, const struct slot_stack *slot)
{
	const uint64_t *words = (const uint64_t *)&slot->frames;
	size_t left = depth_of(store, slot->frames.n) + 1, n;
	uint64_t piece_id = slot->id;
	int err = 0;

	for (; left && !err; left -= n, words += n) {
		n = left < STACK_PIECE ? left : STACK_PIECE;
		err = put_piece(store, piece_id++, words, n);
	}
	return err;
}

static int read_slots(struct stack_store *store)
{
	const struct slot_stack *slot;
	int err = 0;
	uint32_t i;

	for (i = 0; i < store->slots->n && !err; i++) {
		err = slots_stack(store->slots, i, &slot);
		if (!err && slot)
			err = put_slot(store, slot);
	}
	return err;
}

/* Batches go through a small buffer. */
static int read_map(struct stack_store *store)
{
	struct rowset batch = {.key_size = sizeof(uint64_t),
			       .value_size =
				   stack_piece_words(store->depth) * (uint32_t)sizeof(uint64_t)};
	struct map_pass pass = {.fd = store->fd, .calls = store->calls, .want = BATCH};
	const uint64_t *words;
	uint64_t piece_id;
	int err = 0;
	size_t i;

	while (!err && !pass.ended) {
		batch.n = 0;
		err = rowset_read_batch(&batch, &pass);
		for (i = 0; i < batch.n && !err; i++) {
			memcpy(&piece_id, rowset_key(&batch, i), sizeof(piece_id));
			words = (const uint64_t *)rowset_value(&batch, i);
			err = put_piece(store, piece_id, words, words_kept(store, piece_id, words));
		}
	}
	rowset_free(&batch);
	return err;
}

/* NULL: it is not among those read together. */
static const uint64_t *find_read(const struct stack_store *store, uint64_t piece_id)
{
	const struct slot *slot;

	if (!store->index.size)
		return NULL;
	slot = table_slot(&store->index, index_hash(piece_id), table_same_hash, NULL);
	return slot->ref ? store->words + slot->ref - 1 : NULL;
}

/* NULL: *err says why. value: room for what the map has to be asked for. */
static const uint64_t *find_piece(struct stack_store *store, uint64_t piece_id,
				  uint64_t value[STACK_PIECE], int *err)
{
	const uint64_t *words = find_read(store, piece_id);

	if (!words && store->slots) {
		*err = read_slots(store); /* the first time, or it came since */
		words = *err ? NULL : find_read(store, piece_id);
		*err = *err || words ? *err : -ENOENT;
	} else if (!words) {
		*err = store->calls->lookup(store->fd, &piece_id, value) ? -errno : 0;
		words = *err ? NULL : value;
	}
	return words;
}

int stack_store_find(struct stack_store *store, uint64_t id, struct stack_frames *frames)
{
	uint64_t value[STACK_PIECE], *words = (uint64_t *)frames;
	const uint64_t *piece;
	size_t left, n;
	int err = 0;

	/* Once; what a map did not give then is asked for as before: without batches all is. */
	if (!store->slots && store->asked++ == ASKED_SINGLY)
		(void)read_map(store);
	piece = find_piece(store, id, value, &err);
	if (!piece)
		return err;
	left = depth_of(store, piece[0]) + 1;
	for (;; words += n, left -= n) {
		n = left < STACK_PIECE ? left : STACK_PIECE;
		memcpy(words, piece, n * sizeof(*words));
		if (n == left)
			break;
		piece = find_piece(store, ++id, value, &err);
		if (!piece)
			return err;
	}
	frames->n = depth_of(store, frames->n);
	return 0;
}
