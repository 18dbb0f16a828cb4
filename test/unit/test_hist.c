/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "core/hist.h"

#include <cmocka.h>

static void a_value_lies_within_the_bounds_of_its_slot(void **state)
{
	const uint64_t values[] = {0, 1, 2, 3, 4, 511, 512, 1023, 1024, 1ULL << 62, 1ULL << 63};

	(void)state;
	for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		unsigned slot = hist_slot(values[i]);

		assert_in_range(slot, 0, HIST_SLOTS - 1);
		assert_true(values[i] >= hist_lo(slot));
		assert_true(values[i] < hist_hi(slot));
	}
}

static void slots_touch_and_do_not_overlap(void **state)
{
	(void)state;
	for (unsigned i = 0; i + 1 < HIST_SLOTS; i++) {
		assert_int_equal(hist_hi(i), hist_lo(i + 1));
		assert_int_equal(hist_slot(hist_hi(i)), i + 1);
		assert_int_equal(hist_slot(hist_hi(i) - 1), i);
	}
}

static void the_ends_are_zero_and_u64_max(void **state)
{
	(void)state;
	assert_int_equal(hist_lo(0), 0);
	assert_int_equal(hist_hi(0), 2);
	assert_int_equal(hist_lo(63), 1ULL << 63);
	assert_true(hist_hi(63) == UINT64_MAX);
	assert_int_equal(hist_slot(0), 0);
	assert_int_equal(hist_slot(1), 0);
	assert_int_equal(hist_slot(UINT64_MAX), 63);
}

static void an_empty_histogram_has_no_range(void **state)
{
	uint64_t slots[HIST_SLOTS] = {0};
	unsigned first = 77, last = 78;

	(void)state;
	assert_int_equal(hist_range(slots, &first, &last), 0);
	assert_int_equal(hist_total(slots), 0);
}

static void the_range_spans_the_slots_in_use(void **state)
{
	uint64_t slots[HIST_SLOTS] = {0};
	unsigned first = 77, last = 78;

	(void)state;
	slots[5] = 1;
	assert_int_equal(hist_range(slots, &first, &last), 1);
	assert_int_equal(first, 5);
	assert_int_equal(last, 5);
	slots[0] = 2;
	slots[63] = 4;
	assert_int_equal(hist_range(slots, &first, &last), 1);
	assert_int_equal(first, 0);
	assert_int_equal(last, 63);
	assert_int_equal(hist_total(slots), 7);
}

static void adding_is_slot_by_slot(void **state)
{
	uint64_t into[HIST_SLOTS] = {[0] = 1, [9] = 10};
	const uint64_t from[HIST_SLOTS] = {[9] = 5, [63] = 7};

	(void)state;
	hist_add(into, from);
	assert_int_equal(into[0], 1);
	assert_int_equal(into[9], 15);
	assert_int_equal(into[63], 7);
	assert_int_equal(hist_total(into), 23);
}

static void a_quantile_lies_in_the_slot_of_that_value(void **state)
{
	uint64_t slots[HIST_SLOTS] = {0};

	(void)state;
	assert_int_equal(hist_quantile(slots, 500), 0);
	slots[10] = 90; /* 1024 to 2047 */
	slots[20] = 9;
	slots[30] = 1;
	assert_in_range(hist_quantile(slots, 500), 1024, 2047);
	assert_in_range(hist_quantile(slots, 900), 1024, 2048);
	assert_in_range(hist_quantile(slots, 990), 1 << 20, 1 << 21);
	assert_in_range(hist_quantile(slots, 1000), 1 << 30, 1LL << 31);
	assert_true(hist_quantile(slots, 100) < hist_quantile(slots, 800));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_value_lies_within_the_bounds_of_its_slot),
	    cmocka_unit_test(slots_touch_and_do_not_overlap),
	    cmocka_unit_test(the_ends_are_zero_and_u64_max),
	    cmocka_unit_test(an_empty_histogram_has_no_range),
	    cmocka_unit_test(the_range_spans_the_slots_in_use),
	    cmocka_unit_test(a_quantile_lies_in_the_slot_of_that_value),
	    cmocka_unit_test(adding_is_slot_by_slot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
