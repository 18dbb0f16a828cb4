/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "core/guard.h"

#include <cmocka.h>

static void percent_is_of_all_cpus(void **state)
{
	(void)state;
	assert_float_equal(guard_percent(1000000000, 1000000000, 1), 100, 0);
	assert_float_equal(guard_percent(1000000000, 1000000000, 4), 25, 0);
	assert_float_equal(guard_percent(10000000, 2000000000, 2), 0.25, 1e-12);
}

static void no_time_and_no_cpu_are_nothing(void **state)
{
	(void)state;
	assert_float_equal(guard_percent(5, 0, 4), 0, 0);
	assert_float_equal(guard_percent(5, 5, 0), 0, 0);
}

static void a_step_brings_the_share_below_the_limit(void **state)
{
	(void)state;
	assert_int_equal(guard_every(0, 20, 1), 32);
	assert_int_equal(guard_every(1, 20, 1), 32);
	assert_int_equal(guard_every(32, 3, 1), 512);
	assert_int_equal(guard_every(4, 100, 1), 512);
	assert_int_equal(guard_every(0, 1e9, 1), 4096);
}

static void no_step_is_small(void **state)
{
	(void)state;
	assert_int_equal(guard_every(0, 1.01, 1), 4);
	assert_int_equal(guard_every(16, 1.01, 1), 256);
}

static void where_hardly_any_is_followed_no_step_is_left(void **state)
{
	(void)state;
	assert_int_equal(guard_every(1024, 2, 1), 4096);
	assert_int_equal(guard_every(2048, 2, 1), 0);
	assert_int_equal(guard_every(4096, 2, 1), 0);
	assert_int_equal(guard_every(UINT32_MAX, 2, 1), 0);
}

static void when_it_is_quiet_more_are_followed(void **state)
{
	(void)state;
	assert_int_equal(guard_finer(512, 1, 0.1, 1), 128);
	assert_int_equal(guard_finer(4, 1, 0, 1), 1);
	assert_int_equal(guard_finer(8, 3, 0, 1), 3);
}

static void a_step_up_leaves_half_of_the_limit(void **state)
{
	(void)state;
	assert_int_equal(guard_finer(512, 1, 0.125, 1), 128);
	assert_int_equal(guard_finer(512, 1, 0.126, 1), 512);
}

static void no_more_are_followed_than_were_asked_for(void **state)
{
	(void)state;
	assert_int_equal(guard_finer(0, 1, 0, 1), 0);
	assert_int_equal(guard_finer(1, 1, 0, 1), 1);
	assert_int_equal(guard_finer(100, 100, 0, 1), 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(percent_is_of_all_cpus),
	    cmocka_unit_test(no_time_and_no_cpu_are_nothing),
	    cmocka_unit_test(a_step_brings_the_share_below_the_limit),
	    cmocka_unit_test(no_step_is_small),
	    cmocka_unit_test(where_hardly_any_is_followed_no_step_is_left),
	    cmocka_unit_test(when_it_is_quiet_more_are_followed),
	    cmocka_unit_test(a_step_up_leaves_half_of_the_limit),
	    cmocka_unit_test(no_more_are_followed_than_were_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
