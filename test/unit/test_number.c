/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/number.h"

#include <cmocka.h>

typedef int reader(const char *s, uint64_t *out);

struct reading {
	const char *s;
	uint64_t value;
};

static void expect(reader *read, const struct reading *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t value = 0x5a5a;

		assert_int_equal(read(cases[i].s, &value), 0);
		if (value != cases[i].value)
			print_error("'%s'\n", cases[i].s);
		assert_true(value == cases[i].value);
	}
}

static void refuse(reader *read, int err, const char *const *cases)
{
	for (; *cases; cases++) {
		/* no byte more than the word, for the sanitizer to see one read too much */
		char *copy = strdup(*cases);
		uint64_t value = 0;
		int got;

		assert_non_null(copy);
		got = read(copy, &value);
		if (got != err)
			print_error("'%s'\n", *cases);
		free(copy);
		assert_int_equal(got, err);
	}
}

#define EXPECT(read, ...)                                   \
	expect(read, (const struct reading[]){__VA_ARGS__}, \
	       sizeof((const struct reading[]){__VA_ARGS__}) / sizeof(struct reading))
#define REFUSE(read, err, ...) refuse(read, err, (const char *const[]){__VA_ARGS__, NULL})

static reader *const readers[] = {number_u64, number_time_ns, number_seconds_ns, number_bytes};

static void what_is_no_number_is_refused_by_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(readers) / sizeof(*readers); i++)
		REFUSE(readers[i], -EINVAL, "", " ", "x", "-", "+", "-1", "+1", " 1", "1 ", "\t1",
		       "1\n", "1,5", "1_000", "1'000", "one", "nan", "inf", "infinity", ".5", ".",
		       "1e3", "1e", "--1", "0x", "0xg", "0x-1", "\xff", "1\xff", "\xd9\xa1");
}

static void overflow_is_told_from_rubbish(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(readers) / sizeof(*readers); i++) {
		REFUSE(readers[i], -ERANGE, "18446744073709551616", "99999999999999999999999999");
		REFUSE(readers[i], -EINVAL, "99999x", "1x", "1.5.2");
	}
}

static void whole_numbers_are_decimal_or_hex(void **state)
{
	(void)state;
	EXPECT(number_u64, {"0", 0}, {"7", 7}, {"010", 10}, {"000", 0}, {"0x10", 16}, {"0Xff", 255},
	       {"18446744073709551615", UINT64_MAX}, {"0xffffffffffffffff", UINT64_MAX});
	REFUSE(number_u64, -ERANGE, "0x10000000000000000");
	REFUSE(number_u64, -EINVAL, "1.5", "1k", "0x1.8", "0b1", "0o7");
}

static void a_bare_time_is_microseconds(void **state)
{
	(void)state;
	EXPECT(number_time_ns, {"0", 0}, {"10", 10000}, {"10us", 10000}, {"10ns", 10},
	       {"2ms", 2000000}, {"1s", 1000000000}, {"1S", 1000000000}, {"3Ms", 3000000},
	       {"18446744073709551615ns", UINT64_MAX}, {"18446744073s", 18446744073000000000u});
	REFUSE(number_time_ns, -EINVAL, "1m", "1h", "1 ms", "1usx", "1parsecs", "0x10us", "ms");
	REFUSE(number_time_ns, -ERANGE, "18446744073709551615", "18446744074s",
	       "18446744073709551616ns", "18446744073.9s");
}

static void fractions_are_exact_to_the_nanosecond(void **state)
{
	(void)state;
	EXPECT(number_time_ns, {"1.5ms", 1500000}, {"0.001us", 1}, {"1.000000001s", 1000000001},
	       {"0.3s", 300000000}, {"0.1", 100}, {"2.50us", 2500},
	       {"18446744073.7s", 18446744073700000000u});
	/* What is finer is cut, and more than nine digits are no error. */
	EXPECT(number_time_ns, {"0.0009us", 0}, {"1.9ns", 1},
	       {"1.9999999999999999999s", 1999999999}, {"0.00000000000000000000001s", 0});
	REFUSE(number_time_ns, -EINVAL, "1.", "1.s", "1.us", "1..5s", "1.5.s", "1.-5s", "1.+5",
	       "1. 5");
}

static void seconds_are_a_millisecond_at_least_and_a_century_at_most(void **state)
{
	(void)state;
	EXPECT(number_seconds_ns, {"1", 1000000000}, {"0.5", 500000000}, {"0.001", 1000000},
	       {"1ms", 1000000}, {"250ms", 250000000}, {"2s", 2000000000},
	       {"3155760000", 3155760000000000000u});
	REFUSE(number_seconds_ns, -ERANGE, "0", "0.0", "0.0009999", "0.9ms", "3155760001",
	       "18446744073");
	REFUSE(number_seconds_ns, -EINVAL, "1us", "1ns", "1m", "1x");
}

static void sizes_go_by_1024(void **state)
{
	(void)state;
	EXPECT(number_bytes, {"0", 0}, {"64", 64}, {"64b", 64}, {"4k", 4096}, {"4K", 4096},
	       {"4KiB", 4096}, {"1M", 1 << 20}, {"1.5M", 3 << 19}, {"2G", 2147483648u},
	       {"2gib", 2147483648u}, {"18446744073709551615", UINT64_MAX},
	       {"17179869183G", 17179869183ull << 30});
	REFUSE(number_bytes, -ERANGE, "17179869184G", "18446744073709551615k");
	REFUSE(number_bytes, -EINVAL, "1kb", "1T", "1 k", "k", "1kk", "0x10");
}

static void a_refusal_of_rubbish_leaves_the_result_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(readers) / sizeof(*readers); i++) {
		uint64_t value = 42;

		assert_int_equal(readers[i]("x", &value), -EINVAL);
		assert_int_equal(readers[i]("1x", &value), -EINVAL);
		assert_int_equal(value, 42);
	}
}

/* What follows the digits; "NULL" where there are none, or more than 16. */
static const char *behind_hex(const char *s, size_t len, uint64_t *value)
{
	/* no byte more than the text, for the sanitizer to see one read too much */
	char *copy = malloc(len + !len);
	const char *behind;

	assert_non_null(copy);
	memcpy(copy, s, len);
	behind = number_hex(copy, copy + len, 16, value);
	behind = behind ? s + (behind - copy) : "NULL";
	free(copy);
	return behind;
}

static void hex_digits_are_taken_up_to_what_is_none(void **state)
{
	static const struct {
		const char *s, *behind;
		uint64_t value;
	} cases[] = {
	    {"0", "", 0},
	    {"ffffffff81000000 T x", " T x", 0xffffffff81000000},
	    {"DeadBeef-", "-", 0xdeadbeef},
	    {"9g", "g", 9},
	    {"af/:@G`", "/:@G`", 0xaf},
	    {"a\x10\x01", "\x10\x01", 10}, /* what has a digit's lower bits alone is none */
	    {"1\xe1", "\xe1", 1},
	    {"0x1", "x1", 0},
	};
	uint64_t value;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *s = cases[i].s;

		assert_string_equal(behind_hex(s, strlen(s), &value), cases[i].behind);
		assert_true(value == cases[i].value);
	}
}

static void no_hex_digits_or_too_many_are_refused(void **state)
{
	uint64_t value;

	(void)state;
	assert_string_equal(behind_hex("", 0, &value), "NULL");
	assert_string_equal(behind_hex("1", 0, &value), "NULL");
	assert_string_equal(behind_hex("-1", 2, &value), "NULL");
	assert_string_equal(behind_hex(" 1", 2, &value), "NULL");
	assert_string_equal(behind_hex("g", 1, &value), "NULL");
	assert_string_equal(behind_hex("ffffffffffffffff", 16, &value), "");
	assert_true(value == UINT64_MAX);
	assert_string_equal(behind_hex("00000000000000001", 17, &value), "NULL");
}

/* Every byte at every place among digits. */
static void a_byte_that_is_no_hex_digit_ends_them_wherever_it_is(void **state)
{
	const char *const digits = "0123456789abcdefABCDEF";
	char text[] = "f0e1D2c3B4a59687", saved;
	uint64_t value;

	(void)state;
	assert_ptr_equal(number_hex(text, text + 16, 16, &value), text + 16);
	assert_true(value == 0xf0e1d2c3b4a59687);
	for (int at = 0; at < 16; at++) {
		saved = text[at];
		for (int byte = 0; byte < 256; byte++) {
			int len = byte && strchr(digits, byte) ? 16 : at;

			text[at] = (char)byte;
			assert_ptr_equal(number_hex(text, text + 16, 16, &value),
					 len ? text + len : NULL);
			if (len)
				assert_true(value == strtoull(text, NULL, 16));
		}
		text[at] = saved;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_no_number_is_refused_by_all),
	    cmocka_unit_test(overflow_is_told_from_rubbish),
	    cmocka_unit_test(whole_numbers_are_decimal_or_hex),
	    cmocka_unit_test(a_bare_time_is_microseconds),
	    cmocka_unit_test(fractions_are_exact_to_the_nanosecond),
	    cmocka_unit_test(seconds_are_a_millisecond_at_least_and_a_century_at_most),
	    cmocka_unit_test(sizes_go_by_1024),
	    cmocka_unit_test(a_refusal_of_rubbish_leaves_the_result_alone),
	    cmocka_unit_test(hex_digits_are_taken_up_to_what_is_none),
	    cmocka_unit_test(no_hex_digits_or_too_many_are_refused),
	    cmocka_unit_test(a_byte_that_is_no_hex_digit_ends_them_wherever_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
