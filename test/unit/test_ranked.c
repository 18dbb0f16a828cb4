/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "core/ranked.h"

/* Last: its macro fail() hides ours. */
#include <cmocka.h>

#define MANY 5000

static void expect_sorted(const struct ranked *sorted, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		assert_true(sorted[i - 1].rank <= sorted[i].rank);
		if (sorted[i - 1].rank == sorted[i].rank)
			assert_true(sorted[i - 1].item < sorted[i].item);
	}
}

/* Ranks of some bytes of a number that is as good as random, the others all zeros or ones. */
static void numbers_that_differ_in_any_bytes_are_sorted_and_equal_ones_stay_in_order(void **state)
{
	static const uint64_t masks[] = {0xff, 0xff00, 7ULL << 56, 0xf00ff, UINT64_MAX};
	static struct ranked ranked[MANY], other[MANY], *sorted;
	uint64_t random = 1;

	(void)state;
	for (size_t m = 0; m < 2 * sizeof(masks) / sizeof(masks[0]); m++) {
		uint64_t mask = masks[m / 2], rest = m % 2 ? ~mask : 0, sum = 0;

		for (size_t i = 0; i < MANY; i++) {
			random = random * 6364136223846793005ULL + 1442695040888963407ULL;
			ranked[i] = (struct ranked){((random ^ random >> 29) & mask) | rest, i};
			sum += ranked[i].rank ^ i;
		}
		sorted = ranked_sort(ranked, other, MANY);
		expect_sorted(sorted, MANY);
		for (size_t i = 0; i < MANY; i++)
			sum -= sorted[i].rank ^ sorted[i].item;
		assert_int_equal(sum, 0);
	}
}

static void few_or_equal_ones_stay_where_they_are(void **state)
{
	struct ranked ranked[] = {{5, 0}, {5, 1}, {5, 2}}, other[3];

	(void)state;
	assert_ptr_equal(ranked_sort(ranked, other, 0), ranked);
	assert_ptr_equal(ranked_sort(ranked, other, 1), ranked);
	assert_ptr_equal(ranked_sort(ranked, other, 3), ranked);
	expect_sorted(ranked, 3);
}

static int descending_items(const void *a, const void *b, void *context)
{
	const struct ranked *x = a, *y = b;

	assert_non_null(context);
	assert_int_equal(x->rank, y->rank);
	return (x->item < y->item) - (x->item > y->item);
}

static void only_equal_ones_are_compared(void **state)
{
	static const size_t items[] = {0, 2, 1, 3};
	struct ranked ranked[] = {{1, 0}, {2, 1}, {2, 2}, {3, 3}};

	(void)state;
	ranked_sort_equals(ranked, 4, descending_items, state);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(ranked[i].item, items[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		numbers_that_differ_in_any_bytes_are_sorted_and_equal_ones_stay_in_order),
	    cmocka_unit_test(few_or_equal_ones_stay_where_they_are),
	    cmocka_unit_test(only_equal_ones_are_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
