/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/state.h"

#define ALL ((1U << STATE_COUNT) - 1)

static void each_raw_state_has_its_letter(void **state)
{
	static const struct {
		uint32_t raw;
		char letter;
	} cases[] = {
	    {0x0, 'R'},  {0x1, 'S'},  {0x2, 'D'},   {0x402, 'I'}, {0x102, 'K'},  {0x104, 'T'},
	    {0x4, 'T'},  {0x8, 't'},  {0x108, 't'}, {0x40, 'P'},  {0x1000, 'L'}, {0x10, 'X'},
	    {0x80, 'X'}, {0x90, 'X'}, {0x20, 'Z'},  {0x800, 'N'}, {0x200, 'R'},  {0x502, 'I'},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(state_letter(cases[i].raw), cases[i].letter);
}

static void freezer_bits_do_not_change_a_sleep(void **state)
{
	(void)state;
	assert_int_equal(state_letter(0x2001), 'S');
	assert_int_equal(state_letter(0x6001), 'S');
	assert_int_equal(state_letter(0x2002), 'D');
	assert_int_equal(state_letter(0x2102), 'K');
	assert_int_equal(state_letter(0x2402), 'I');
	assert_int_equal(state_letter(0x8000), 'D');
}

static void every_index_and_letter_go_both_ways(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < STATE_COUNT; i++)
		assert_int_equal(state_index(state_index_letter(i)), i);
	assert_int_equal(state_index_letter(STATE_COUNT), '?');
	assert_int_equal(state_index_letter(UINT32_MAX), '?');
	assert_int_equal(state_index('\0'), -1);
	assert_int_equal(state_index('d'), -1);
}

static void any_raw_value_has_an_index_in_range(void **state)
{
	(void)state;
	for (uint32_t raw = 0; raw < 0x20000; raw++)
		assert_true(state_index_of_raw(raw) < STATE_COUNT);
	assert_true(state_index_of_raw(UINT32_MAX) < STATE_COUNT);
}

static void lists_name_states(void **state)
{
	static const struct {
		const char *arg;
		uint32_t letters;
	} cases[] = {
	    {"D", 1 << STATE_D},
	    {"S,D", 1 << STATE_S | 1 << STATE_D},
	    {"T", 1 << STATE_T},
	    {"t", 1 << STATE_TRACED},
	    {"!R", ALL & ~(1U << STATE_R)},
	    {"!S,I", ALL & ~(1U << STATE_S | 1U << STATE_I)},
	    {"idle", 1 << STATE_I},
	    {"uninterruptible,K", 1 << STATE_D | 1 << STATE_K},
	    {"!running,parked", ALL & ~(1U << STATE_R | 1U << STATE_P)},
	    {"D,D", 1 << STATE_D},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct state_filter f;

		memset(&f, 0xff, sizeof(f));
		assert_int_equal(state_parse(cases[i].arg, &f), 0);
		assert_int_equal(f.letters, cases[i].letters);
		assert_int_equal(f.on, 1);
		assert_int_equal(f.by_raw, 0);
	}
}

static void numbers_are_raw_masks(void **state)
{
	static const struct {
		const char *arg;
		uint32_t mask;
	} cases[] = {
	    {"0", 0},
	    {"2", 2},
	    {"1026", 0x402},
	    {"0x402", 0x402},
	    {"0X1f", 31},
	    {"010", 10},
	    {"4294967295", UINT32_MAX},
	    {"0xffffffff", UINT32_MAX},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct state_filter f;

		memset(&f, 0xff, sizeof(f));
		assert_int_equal(state_parse(cases[i].arg, &f), 0);
		assert_int_equal(f.raw_mask, cases[i].mask);
		assert_int_equal(f.on, 1);
		assert_int_equal(f.by_raw, 1);
		assert_int_equal(f.letters, 0);
	}
}

static void wrong_words_are_refused_and_change_nothing(void **state)
{
	static const char *const cases[] = {
	    "",
	    "!",
	    "!!R",
	    "S,",
	    ",S",
	    "S,,D",
	    "d",
	    "Q",
	    "S D",
	    " S",
	    "S ",
	    "idl",
	    "idleX",
	    "D,2",
	    "!2",
	    "-1",
	    "0x",
	    "2x",
	    "0xg",
	    "4294967296",
	    "0x100000000",
	    "1e3",
	    "S;D",
	    "\xff",
	    "99999999999999999999999999",
	    "!R,S,D,I,K,T,t,P,L,X,Z,N",
	};
	struct state_filter f, before;

	(void)state;
	memset(&f, 0x5a, sizeof(f));
	before = f;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(state_parse(cases[i], &f), -EINVAL);
		assert_memory_equal(&f, &before, sizeof(f));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_raw_state_has_its_letter),
	    cmocka_unit_test(freezer_bits_do_not_change_a_sleep),
	    cmocka_unit_test(every_index_and_letter_go_both_ways),
	    cmocka_unit_test(any_raw_value_has_an_index_in_range),
	    cmocka_unit_test(lists_name_states),
	    cmocka_unit_test(numbers_are_raw_masks),
	    cmocka_unit_test(wrong_words_are_refused_and_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
