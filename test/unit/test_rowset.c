/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding rows; reading them from a map is for the tests of the tools. */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_row_is_found_by_its_key),
	    cmocka_unit_test(a_key_that_is_not_there_is_not_found),
	    cmocka_unit_test(bytes_after_a_nul_count),
	    cmocka_unit_test(nothing_is_found_in_an_empty_set),
	    cmocka_unit_test(keys_and_values_lie_side_by_side),
	    cmocka_unit_test(free_takes_a_set_twice_and_leaves_it_empty),
	    cmocka_unit_test(rows_that_are_kept_move_to_the_front),
	    cmocka_unit_test(what_is_taken_is_no_more_where_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
