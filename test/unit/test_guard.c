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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(percent_is_of_all_cpus),
	    cmocka_unit_test(no_time_and_no_cpu_are_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
