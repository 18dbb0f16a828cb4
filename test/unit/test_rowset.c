/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows as they are read, of a map that is a fake, and found. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/rowset.h"

#include <cmocka.h>

struct key {
	uint64_t stack;
	char comm[12]; /* and no padding: keys are compared byte by byte */
	uint32_t tid;
};

struct value {
	uint64_t count, total;
};

/* n rows as a map gives them: key i is made from i, and so is its value. */
static struct key key_of(uint32_t i)
{
	struct key key = {.stack = i / 7 * 0x100000000u, .tid = i};

	return key;
}

static struct rowset rows_of(uint32_t n)
{
	struct rowset rows = {.key_size = sizeof(struct key), .value_size = sizeof(struct value)};

	rows.n = rows.cap = n;
	rows.keys = calloc(n ? n : 1, rows.key_size);
	rows.values = calloc(n ? n : 1, rows.value_size);
	assert_non_null(rows.keys);
	assert_non_null(rows.values);
	for (uint32_t i = 0; i < n; i++) {
		struct key key = key_of(i);
		struct value value = {i, 2 * (uint64_t)i};

		memcpy(rows.keys + i * sizeof(key), &key, sizeof(key));
		memcpy(rowset_value(&rows, i), &value, sizeof(value));
	}
	return rows;
}

static void every_row_is_found_by_its_key(void **state)
{
	static const uint32_t sizes[] = {1, 2, 7, 8, 9, 16, 17, 1000, 65536};

	(void)state;
	for (size_t k = 0; k < sizeof(sizes) / sizeof(*sizes); k++) {
		struct rowset rows = rows_of(sizes[k]);

		for (uint32_t i = 0; i < sizes[k]; i++) {
			struct key key = key_of(i);
			const struct value *value = rowset_find(&rows, &key);

			assert_non_null(value);
			assert_ptr_equal(value, rowset_value(&rows, i));
			assert_int_equal(value->count, i);
			assert_int_equal(value->total, 2 * (uint64_t)i);
		}
		rowset_free(&rows);
	}
}

static void a_key_that_is_not_there_is_not_found(void **state)
{
	static const uint32_t sizes[] = {1, 8, 16, 1000, 1024};
	struct rowset rows;
	struct key key;

	(void)state;
	for (size_t k = 0; k < sizeof(sizes) / sizeof(*sizes); k++) {
		rows = rows_of(sizes[k]);
		for (uint32_t i = sizes[k]; i < sizes[k] + 4000; i++) {
			key = key_of(i);
			assert_null(rowset_find(&rows, &key));
		}
		rowset_free(&rows);
	}
	rows = rows_of(6);
	key = key_of(5);
	key.comm[11] = 1; /* one bit off, in the last byte of a field */
	assert_null(rowset_find(&rows, &key));
	rowset_free(&rows);
}

static void bytes_after_a_nul_count(void **state)
{
	struct rowset rows = rows_of(2);
	struct key key = key_of(0);

	(void)state;
	memcpy(key.comm, "a\0b", 3);
	memcpy(rows.keys, &key, sizeof(key));
	assert_ptr_equal(rowset_find(&rows, &key), rowset_value(&rows, 0));
	memcpy(key.comm, "a\0c", 3);
	assert_null(rowset_find(&rows, &key));
	rowset_free(&rows);
}

static void nothing_is_found_in_an_empty_set(void **state)
{
	struct rowset none, rows = rows_of(0);
	struct key key = key_of(0);

	(void)state;
	memset(&none, 0, sizeof(none));
	assert_null(rowset_find(&none, &key));
	assert_null(rowset_find(&rows, &key));
	rowset_free(&none);
	rowset_free(&rows);
}

static void keys_and_values_lie_side_by_side(void **state)
{
	struct rowset rows = rows_of(3);

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		struct key key = key_of(i);

		assert_memory_equal(rowset_key(&rows, i), &key, sizeof(key));
		assert_int_equal(((struct value *)rowset_value(&rows, i))->count, i);
	}
	rowset_free(&rows);
}

static void free_takes_a_set_twice_and_leaves_it_empty(void **state)
{
	struct rowset rows = rows_of(100);
	struct key key = key_of(99);

	(void)state;
	assert_non_null(rowset_find(&rows, &key));
	rowset_free(&rows);
	assert_int_equal(rows.n, 0);
	assert_null(rows.keys);
	assert_null(rows.index);
	assert_null(rowset_find(&rows, &key));
	rowset_free(&rows);
}

static void rows_that_are_kept_move_to_the_front(void **state)
{
	struct rowset rows = rows_of(10);
	size_t kept = 0;

	(void)state;
	for (uint32_t i = 0; i < 10; i++)
		if (i != 1 && i != 4)
			rowset_move(&rows, kept++, i);
	rows.n = kept;
	for (uint32_t i = 0; i < 10; i++) {
		struct key key = key_of(i);
		const struct value *value = rowset_find(&rows, &key);

		assert_int_equal(!value, i == 1 || i == 4);
		if (value)
			assert_int_equal(value->count, i);
	}
	rowset_free(&rows);
}

/* A map of n rows in buckets of the same size, the last excepted. */
static struct {
	uint32_t n, bucket;
	int batch_errno;
	uint32_t removed; /* by somebody else, with each batch, from the buckets still to come */
	unsigned batches;
} map;

static int map_batch(int fd, void *in, void *out, void *keys, void *values, uint32_t *count,
		     const struct bpf_map_batch_opts *opts)
{
	uint32_t at = in ? *(uint32_t *)in : 0, room = *count;

	(void)opts;
	assert_int_equal(fd, 3);
	*count = 0;
	map.batches++;
	if (map.batch_errno)
		return errno = map.batch_errno, -1;
	if (room < map.bucket && at < map.n)
		return errno = ENOSPC, -1;
	for (; at < map.n && *count + map.bucket <= room; at += map.bucket)
		for (uint32_t i = at; i < at + map.bucket && i < map.n; i++, (*count)++) {
			struct key key = key_of(i);
			struct value value = {i, 2 * (uint64_t)i};

			memcpy((char *)keys + *count * sizeof(key), &key, sizeof(key));
			memcpy((char *)values + *count * sizeof(value), &value, sizeof(value));
		}
	map.n -= map.n - at > map.removed && at < map.n ? map.removed : 0;
	*(uint32_t *)out = at;
	return at < map.n ? 0 : (errno = ENOENT, -1);
}

static int map_next_key(int fd, const void *key, void *next)
{
	struct key k = key_of(key ? ((const struct key *)key)->tid + 1 : 0);

	assert_int_equal(fd, 3);
	if (k.tid >= map.n)
		return errno = ENOENT, -1;
	memcpy(next, &k, sizeof(k));
	return 0;
}

static int map_lookup(int fd, const void *key, void *value)
{
	uint32_t i = ((const struct key *)key)->tid;

	assert_int_equal(fd, 3);
	memcpy(value, &(struct value){i, 2 * (uint64_t)i}, sizeof(struct value));
	return 0;
}

static const struct map_calls map_calls = {map_batch, map_next_key, map_lookup};

static void assert_reads(uint32_t least)
{
	struct rowset rows;

	assert_int_equal(
	    rowset_read_by(&rows, &map_calls, 3, sizeof(struct key), sizeof(struct value)), 0);
	assert_in_range(rows.n, least, map.n > least ? map.n : least);
	for (uint32_t i = 0; i < least; i++) {
		struct key key = key_of(i);
		const struct value *value = rowset_find(&rows, &key);

		assert_non_null(value);
		assert_int_equal(value->total, 2 * (uint64_t)i);
	}
	rowset_free(&rows);
}

static void what_is_taken_is_no_more_where_it_was(void **state)
{
	struct rowset to = rows_of(5), from = rows_of(100);
	const unsigned char *keys = from.keys;
	struct key key = key_of(99);

	(void)state;
	assert_null(rowset_find(&to, &key));
	rowset_take(&to, &from);
	assert_ptr_equal(to.keys, keys);
	assert_non_null(rowset_find(&to, &key));
	assert_int_equal(from.n, 0);
	assert_null(from.keys);
	rowset_free(&from);
	rowset_free(&to);
}

static void a_map_of_any_size_is_read_whole_in_batches(void **state)
{
	static const uint32_t sizes[] = {0, 1, 2047, 2048, 2049, 10000};

	(void)state;
	for (size_t k = 0; k < sizeof(sizes) / sizeof(*sizes); k++) {
		memset(&map, 0, sizeof(map));
		map.n = sizes[k];
		map.bucket = 1;
		assert_reads(sizes[k]);
		assert_true(map.batches <= sizes[k] / 2048 + 1);
	}
}

static void a_bucket_larger_than_a_batch_is_read(void **state)
{
	(void)state;
	memset(&map, 0, sizeof(map));
	map.n = 20000;
	map.bucket = 9000;
	assert_reads(20000);
}

static void rows_that_go_while_it_is_read_end_it_none_the_less(void **state)
{
	(void)state;
	memset(&map, 0, sizeof(map));
	map.n = 10000;
	map.bucket = 1;
	map.removed = 1500;
	assert_reads(6000);
}

static void without_batches_it_is_read_key_by_key(void **state)
{
	static const int errors[] = {EINVAL, ENOTSUP, 524};

	(void)state;
	for (size_t k = 0; k < sizeof(errors) / sizeof(*errors); k++) {
		memset(&map, 0, sizeof(map));
		map.n = 5000; /* the keys are moved on the way, the last one read too */
		map.bucket = 1;
		map.batch_errno = errors[k];
		assert_reads(5000);
	}
}

static void another_error_is_told(void **state)
{
	struct rowset rows;

	(void)state;
	memset(&map, 0, sizeof(map));
	map.batch_errno = EPERM;
	assert_int_equal(
	    rowset_read_by(&rows, &map_calls, 3, sizeof(struct key), sizeof(struct value)), -EPERM);
	rowset_free(&rows);
	map.batch_errno = ENOSPC; /* for ever */
	assert_int_equal(
	    rowset_read_by(&rows, &map_calls, 3, sizeof(struct key), sizeof(struct value)),
	    -ENOSPC);
	rowset_free(&rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_row_is_found_by_its_key),
	    cmocka_unit_test(a_key_that_is_not_there_is_not_found),
	    cmocka_unit_test(bytes_after_a_nul_count),
	    cmocka_unit_test(nothing_is_found_in_an_empty_set),
	    cmocka_unit_test(keys_and_values_lie_side_by_side),
	    cmocka_unit_test(a_map_of_any_size_is_read_whole_in_batches),
	    cmocka_unit_test(a_bucket_larger_than_a_batch_is_read),
	    cmocka_unit_test(rows_that_go_while_it_is_read_end_it_none_the_less),
	    cmocka_unit_test(without_batches_it_is_read_key_by_key),
	    cmocka_unit_test(another_error_is_told),
	    cmocka_unit_test(free_takes_a_set_twice_and_leaves_it_empty),
	    cmocka_unit_test(rows_that_are_kept_move_to_the_front),
	    cmocka_unit_test(what_is_taken_is_no_more_where_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
