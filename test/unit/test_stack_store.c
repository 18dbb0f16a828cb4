/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stacks as they are read: one by one, together, and from slots. The map is a fake. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/rowset.h"
#include "core/slots.h"
#include "core/stack_store.h"

#include <cmocka.h>

#define DEPTH 3
#define MANY 2000
#define SINGLY 64

/* Ids leave room for the pieces' numbers. */
#define ID(stack) ((uint64_t)(stack)*8)

/* The map has stacks 1 to n; a bucket has so many of them, and a batch gives whole ones. */
static struct fake {
	uint32_t n, bucket;
	int batch_errno;     /* what a batch fails with; 0: it does not */
	uint32_t fails_from; /* the first stack that it fails at */
	uint32_t grows_by;   /* with each batch */
	unsigned batches, lookups;
} fake;

/* As many frames as its number says, as far as there is room: some have been cut. */
static void fill(uint64_t stack, void *value)
{
	uint64_t words[1 + DEPTH] = {stack % 5, stack * 10, stack * 10 + 1, stack * 10 + 2};

	memcpy(value, words, sizeof(words));
}

static int fake_batch(int fd, void *in, void *out, void *keys, void *values, uint32_t *count,
		      const struct bpf_map_batch_opts *opts)
{
	uint32_t at = in ? *(uint32_t *)in : 0, room = *count, end;

	(void)opts;
	assert_int_equal(fd, 7);
	fake.batches++;
	*count = 0;
	if (fake.batch_errno && at >= fake.fails_from) {
		errno = fake.batch_errno;
		return -1;
	}
	if (room < fake.bucket && at < fake.n) {
		errno = ENOSPC;
		return -1;
	}
	for (end = at; end < fake.n && end + fake.bucket - at <= room; end += fake.bucket)
		for (uint32_t i = end; i < end + fake.bucket && i < fake.n; i++, (*count)++) {
			((uint64_t *)keys)[*count] = ID(i + 1);
			fill(i + 1, (char *)values + *count * sizeof(uint64_t) * (1 + DEPTH));
		}
	*(uint32_t *)out = end;
	fake.n += end < MANY ? fake.grows_by : 0;
	if (end < fake.n)
		return 0;
	errno = ENOENT;
	return -1;
}

static int fake_lookup(int fd, const void *key, void *value)
{
	uint64_t id = *(const uint64_t *)key;

	assert_int_equal(fd, 7);
	fake.lookups++;
	if (!id || id % 8 || id > ID(fake.n)) {
		errno = ENOENT;
		return -1;
	}
	fill(id / 8, value);
	return 0;
}

static const struct map_calls fake_calls = {.batch = fake_batch, .lookup = fake_lookup};

static struct stack_store store_of(uint32_t n, uint32_t bucket)
{
	struct stack_store store;

	fake = (struct fake){.n = n, .bucket = bucket};
	stack_store_init(&store, 7, NULL, DEPTH);
	store.calls = &fake_calls;
	return store;
}

static void assert_stack(struct stack_store *store, uint64_t stack)
{
	struct stack_frames frames;
	uint64_t i, n = stack % 5 < DEPTH ? stack % 5 : DEPTH;

	memset(&frames, 0xff, sizeof(frames));
	assert_int_equal(stack_store_find(store, ID(stack), &frames), 0);
	assert_int_equal(frames.n, n);
	for (i = 0; i < n; i++)
		assert_int_equal(frames.ip[i], stack * 10 + i);
}

static void assert_all(struct stack_store *store, uint32_t n)
{
	for (uint64_t stack = 1; stack <= n; stack++)
		assert_stack(store, stack);
}

static void a_few_are_asked_for_one_by_one(void **state)
{
	struct stack_store store = store_of(MANY, 1);

	(void)state;
	assert_all(&store, SINGLY);
	assert_int_equal(fake.lookups, SINGLY);
	assert_int_equal(fake.batches, 0);
	stack_store_forget(&store);
}

static void many_are_read_together(void **state)
{
	struct stack_store store = store_of(MANY, 1);

	(void)state;
	assert_all(&store, MANY);
	assert_all(&store, MANY);
	assert_int_equal(fake.lookups, SINGLY);
	assert_in_range(fake.batches, 2, 20);
	stack_store_forget(&store);
}

static void a_bucket_that_does_not_fit_is_asked_for_with_more_room(void **state)
{
	struct stack_store store = store_of(MANY, 1500);

	(void)state;
	assert_all(&store, MANY);
	assert_int_equal(fake.lookups, SINGLY);
	stack_store_forget(&store);
}

static void what_is_put_while_it_is_read_is_found(void **state)
{
	struct stack_store store = store_of(MANY, 1);

	(void)state;
	fake.grows_by = 10;
	assert_all(&store, SINGLY + 1);
	fake.grows_by = 0;
	fake.n += 100; /* since the last batch: asked for one by one */
	assert_all(&store, fake.n);
	assert_in_range(fake.lookups, SINGLY + 100, SINGLY + 110);
	stack_store_forget(&store);
}

static void without_batches_all_are_asked_for_one_by_one(void **state)
{
	struct stack_store store = store_of(MANY, 1);

	(void)state;
	fake.batch_errno = EINVAL;
	assert_all(&store, MANY);
	assert_int_equal(fake.lookups, MANY);
	assert_int_equal(fake.batches, 1);
	stack_store_forget(&store);
}

static void what_a_failed_batch_did_not_give_is_asked_for(void **state)
{
	struct stack_store store = store_of(MANY, 1);

	(void)state;
	fake.batch_errno = ENOMEM;
	fake.fails_from = 600;
	assert_all(&store, MANY);
	assert_true(fake.lookups > SINGLY && fake.lookups < MANY);
	stack_store_forget(&store);
}

static void a_stack_that_is_not_there_is_an_error(void **state)
{
	struct stack_store store = store_of(MANY, 1);
	struct stack_frames frames;

	(void)state;
	assert_int_equal(stack_store_find(&store, ID(MANY + 1), &frames), -ENOENT);
	assert_all(&store, MANY);
	assert_int_equal(stack_store_find(&store, ID(MANY + 1), &frames), -ENOENT);
	stack_store_forget(&store);
}

static void what_was_forgotten_is_read_again(void **state)
{
	struct stack_store store = store_of(MANY, 1);

	(void)state;
	assert_all(&store, MANY);
	stack_store_forget(&store);
	fake.batches = 0;
	assert_all(&store, MANY);
	assert_true(fake.batches > 0);
	stack_store_forget(&store);
	stack_store_forget(&store);
}

static void slots_are_found_whichever_cpu_has_them(void **state)
{
	/* id, n, frames: two CPUs' tables, both of which have stack 7 */
	uint64_t slots[][2 + DEPTH] = {
	    {0}, {ID(7), 2, 70, 71}, {ID(8), 1, 80}, {ID(7), 2, 70, 71}, {ID(9), 100, 90, 91, 92},
	    {0}};
	struct slots_view view = {.mem = (const unsigned char *)slots,
				  .slot_size = sizeof(slots[0]),
				  .n = sizeof(slots) / sizeof(*slots),
				  .end = sizeof(slots) / sizeof(*slots)};
	struct stack_store store;
	struct stack_frames frames;

	(void)state;
	stack_store_init(&store, -1, &view, DEPTH);
	assert_int_equal(stack_store_find(&store, ID(7), &frames), 0);
	assert_int_equal(frames.n, 2);
	assert_int_equal(frames.ip[1], 71);
	assert_int_equal(stack_store_find(&store, ID(9), &frames), 0);
	assert_int_equal(frames.n, DEPTH);
	assert_int_equal(stack_store_find(&store, ID(10), &frames), -ENOENT);
	memcpy(slots[5], (const uint64_t[]){ID(10), 1, 100}, 3 * sizeof(uint64_t));
	assert_int_equal(stack_store_find(&store, ID(10), &frames), 0); /* it came since */
	assert_int_equal(frames.ip[0], 100);
	stack_store_forget(&store);
}

/* Stacks of 0 to MAX_DEPTH frames, in pieces; frame i of stack n is n * 1000 + i. */
static uint64_t deep_word(uint64_t n, uint64_t at)
{
	return at == 0 ? n : at <= n ? n * 1000 + at - 1 : 0xdead;
}

static int deep_batch(int fd, void *in, void *out, void *keys, void *values, uint32_t *count,
		      const struct bpf_map_batch_opts *opts)
{
	uint32_t at = in ? *(uint32_t *)in : 0, room = *count;

	(void)fd;
	(void)opts;
	for (*count = 0; *count < room && at < 8 * (MAX_DEPTH + 1); at++) {
		uint64_t n = at / 8, piece = at % 8;

		if (piece * STACK_PIECE > n)
			continue;
		((uint64_t *)keys)[*count] = ID(n + 1) + piece;
		for (uint64_t i = 0; i < STACK_PIECE; i++)
			((uint64_t *)values)[*count * STACK_PIECE + i] =
			    deep_word(n, piece * STACK_PIECE + i);
		++*count;
	}
	*(uint32_t *)out = at;
	errno = ENOENT;
	return at < 8 * (MAX_DEPTH + 1) ? 0 : -1;
}

static int deep_lookup(int fd, const void *key, void *value)
{
	uint64_t id = *(const uint64_t *)key, n = id / 8 - 1, piece = id % 8;

	(void)fd;
	if (n == 100 && piece == 2) { /* what must not be */
		errno = ENOENT;
		return -1;
	}
	for (uint64_t i = 0; i < STACK_PIECE; i++)
		((uint64_t *)value)[i] = deep_word(n, piece * STACK_PIECE + i);
	return 0;
}

static void assert_deep(struct stack_store *store, uint64_t n)
{
	struct stack_frames frames;

	assert_int_equal(stack_store_find(store, ID(n + 1), &frames), 0);
	assert_int_equal(frames.n, n < store->depth ? n : store->depth);
	for (uint64_t i = 0; i < frames.n; i++)
		assert_int_equal(frames.ip[i], n * 1000 + i);
}

static void stacks_of_all_depths_are_put_together_from_their_pieces(void **state)
{
	const struct map_calls calls = {.batch = deep_batch, .lookup = deep_lookup};
	static const uint32_t depths[] = {31, 32, 63, 64, MAX_DEPTH};
	struct stack_store store;
	struct stack_frames frames;

	(void)state;
	for (size_t i = 0; i < sizeof(depths) / sizeof(*depths); i++) {
		stack_store_init(&store, 7, NULL, depths[i]);
		store.calls = &calls;
		assert_deep(&store, MAX_DEPTH);
		if (depths[i] > 64)
			assert_int_equal(stack_store_find(&store, ID(101), &frames), -ENOENT);
		for (unsigned pass = 0; pass < 2; pass++)
			for (uint64_t n = 0; n <= MAX_DEPTH; n++)
				if (n != 100)
					assert_deep(&store, n);
		assert_deep(&store, 100); /* among those read together it is whole */
		stack_store_forget(&store);
	}
}

static void slots_of_all_depths_are_put_together_as_well(void **state)
{
	static uint64_t slots[MAX_DEPTH + 1][2 + MAX_DEPTH];
	struct slots_view view = {.mem = (const unsigned char *)slots,
				  .slot_size = sizeof(slots[0]),
				  .n = MAX_DEPTH + 1,
				  .end = MAX_DEPTH + 1};
	struct stack_store store;

	(void)state;
	for (uint64_t n = 0; n <= MAX_DEPTH; n++) {
		slots[n][0] = ID(n + 1);
		for (uint64_t i = 0; i <= MAX_DEPTH; i++)
			slots[n][1 + i] = deep_word(n, i);
	}
	stack_store_init(&store, -1, &view, MAX_DEPTH);
	for (uint64_t n = 0; n <= MAX_DEPTH; n++)
		assert_deep(&store, n);
	stack_store_forget(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_few_are_asked_for_one_by_one),
	    cmocka_unit_test(many_are_read_together),
	    cmocka_unit_test(a_bucket_that_does_not_fit_is_asked_for_with_more_room),
	    cmocka_unit_test(what_is_put_while_it_is_read_is_found),
	    cmocka_unit_test(without_batches_all_are_asked_for_one_by_one),
	    cmocka_unit_test(what_a_failed_batch_did_not_give_is_asked_for),
	    cmocka_unit_test(a_stack_that_is_not_there_is_an_error),
	    cmocka_unit_test(what_was_forgotten_is_read_again),
	    cmocka_unit_test(slots_are_found_whichever_cpu_has_them),
	    cmocka_unit_test(stacks_of_all_depths_are_put_together_from_their_pieces),
	    cmocka_unit_test(slots_of_all_depths_are_put_together_as_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
