/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/fail.h"
#include "core/fmt.h"

/* Last: its macro fail() hides ours. */
#include <cmocka.h>

#define ROWS(a) (sizeof(a) / sizeof((a)[0]))

enum target { TEXT, JSON, FOLDED, FOLDED_LAST };

static char *escaped(enum target target, const char *s)
{
	char *out = NULL;
	size_t size;
	struct buffer buffer = {0};
	FILE *f = open_memstream(&out, &size);

	assert_non_null(f);
	if (target == TEXT)
		fmt_put_text(f, s);
	else if (target == JSON)
		fmt_put_json(&buffer, s);
	else
		fmt_put_folded(f, s, target == FOLDED_LAST);
	buffer_flush(&buffer, f);
	assert_false(buffer.failed);
	buffer_free(&buffer);
	assert_int_equal(fclose(f), 0);
	return out;
}

static void expect(enum target target, const char *s, const char *wanted)
{
	char *out = escaped(target, s);

	assert_string_equal(out, wanted);
	if (target == TEXT)
		assert_int_equal(fmt_text_width(s), strlen(wanted));
	free(out);
}

static void times_have_three_digits_and_a_unit(void **state)
{
	const struct {
		uint64_t ns;
		const char *text;
	} rows[] = {
	    {0, "0ns"},
	    {12, "12ns"},
	    {999, "999ns"},
	    {1000, "1.00us"},
	    {1500, "1.50us"},
	    {99949, "99.9us"},
	    {99950, "100us"},
	    {850000, "850us"},
	    {999499, "999us"},
	    {999500, "1.00ms"},
	    {1020000000, "1.02s"},
	    {5000123456, "5.00s"},
	    {3600000000000, "3600s"},
	    {UINT64_MAX, "18446744074s"},
	};
	char buf[24];

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		assert_string_equal(fmt_ns(buf, sizeof(buf), rows[i].ns), rows[i].text);
}

static void bytes_have_binary_units_and_a_sign(void **state)
{
	const struct {
		int64_t bytes;
		const char *text;
	} rows[] = {
	    {0, "0B"},
	    {1023, "1023B"},
	    {1024, "1.00KiB"},
	    {4096, "4.00KiB"},
	    {-4096, "-4.00KiB"},
	    {-1, "-1B"},
	    {1023 * 1024, "1023KiB"},
	    {1024 * 1024 - 1, "1.00MiB"},
	    {INT64_MAX, "8.00EiB"},
	    {INT64_MIN, "-8.00EiB"},
	};
	char buf[24];

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		assert_string_equal(fmt_bytes(buf, sizeof(buf), rows[i].bytes), rows[i].text);
}

static void loads_are_rounded_to_their_decimals(void **state)
{
	char buf[48];

	(void)state;
	assert_string_equal(fmt_load(buf, sizeof(buf), 0, 3), "0.000");
	assert_string_equal(fmt_load(buf, sizeof(buf), 33686, 3), "0.514");
	assert_string_equal(fmt_load(buf, sizeof(buf), 33686, 5), "0.51401");
	assert_string_equal(fmt_load(buf, sizeof(buf), 32, 5), "0.00049");
	assert_string_equal(fmt_load(buf, sizeof(buf), 65535, 2), "1.00");
	assert_string_equal(fmt_load(buf, sizeof(buf), 65535, 0), "1");
	assert_string_equal(fmt_load(buf, sizeof(buf), 12 << 16, 2), "12.00");
	assert_string_equal(fmt_load(buf, sizeof(buf), UINT64_MAX, 2), "281474976710656.00");
}

static void points_in_time_are_utc_where_asked(void **state)
{
	const uint64_t ns = 1767225600ULL * 1000000000 + 7999999;
	char buf[48];

	(void)state;
	assert_string_equal(fmt_time_iso(buf, sizeof(buf), ns), "2026-01-01T00:00:00.007Z");
	assert_string_equal(fmt_time_iso(buf, sizeof(buf), 0), "1970-01-01T00:00:00.000Z");
	assert_string_equal(fmt_time_clock(buf, sizeof(buf), ns, 1), "00:00:00");
	assert_int_equal(setenv("TZ", "KTR-5:30", 1), 0);
	tzset();
	assert_string_equal(fmt_time_clock(buf, sizeof(buf), ns, 0), "05:30:00");
	assert_string_equal(fmt_time_clock(buf, sizeof(buf), ns, 1), "00:00:00");
}

static void text_lets_nothing_steer_the_terminal(void **state)
{
	(void)state;
	expect(TEXT, "", "");
	expect(TEXT, "fio \"a\" ; b", "fio \"a\" ; b");
	expect(TEXT, "\x1b]0;own\a", "\\x1b]0;own\\x07");
	expect(TEXT, "a\nb\tc\rd", "a\\x0ab\\x09c\\x0dd");
	expect(TEXT, "\x7f", "\\x7f");
	expect(TEXT,
	       "\xc2\x9b"
	       "31m",
	       "\\xc2\\x9b31m");
	expect(TEXT,
	       "\x9b"
	       "31m",
	       "\\x9b31m");
	expect(TEXT, "\xff\xfe", "\\xff\\xfe");
	expect(TEXT,
	       "a\xe2\x80\xae"
	       "b",
	       "a\\xe2\\x80\\xaeb");
	expect(TEXT, "\xe2\x81\xa6", "\\xe2\\x81\\xa6");
	expect(TEXT, "\\x1b", "\\\\x1b");
}

static void text_takes_only_well_formed_utf8(void **state)
{
	(void)state;
	expect(TEXT, "\xc0\xaf", "\\xc0\\xaf");                   /* overlong '/' */
	expect(TEXT, "\xe0\x80\x9b", "\\xe0\\x80\\x9b");          /* overlong C1 */
	expect(TEXT, "\xed\xa0\x80", "\\xed\\xa0\\x80");          /* surrogate */
	expect(TEXT, "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); /* above U+10FFFF */
	expect(TEXT, "\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80");
	expect(TEXT, "a\xe2\x82", "a\\xe2\\x82"); /* cut by the 16 bytes of a comm */
	expect(TEXT, "\xf0\x9f\x98", "\\xf0\\x9f\\x98");
}

static void text_keeps_other_scripts_and_knows_their_width(void **state)
{
	char *out = escaped(TEXT, "é漢e\xcc\x81😀");

	(void)state;
	assert_string_equal(out, "é漢e\xcc\x81😀");
	free(out);
	assert_int_equal(fmt_text_width("é"), 1);
	assert_int_equal(fmt_text_width("漢"), 2);
	assert_int_equal(fmt_text_width("e\xcc\x81"), 1);
	assert_int_equal(fmt_text_width("😀"), 2);
}

static void expect_cut(const char *s, size_t columns, const char *wanted, size_t used)
{
	char *out = NULL;
	size_t size;
	FILE *f = open_memstream(&out, &size);

	assert_non_null(f);
	assert_int_equal(fmt_put_text_cut(f, s, columns), used);
	assert_int_equal(fclose(f), 0);
	assert_string_equal(out, wanted);
	free(out);
}

static void a_cut_text_never_takes_more_columns(void **state)
{
	(void)state;
	expect_cut("kmalloc-64", 10, "kmalloc-64", 10);
	expect_cut("kmalloc-64", 9, "kmalloc-…", 9);
	expect_cut("kmalloc-64", 1, "…", 1);
	expect_cut("kmalloc-64", 0, "", 0);
	expect_cut("ab\x1b"
		   "cd",
		   5, "ab…", 3); /* an escape is not split */
	expect_cut("漢漢漢", 4, "漢…", 3);
}

static void json_strings_hold_any_bytes(void **state)
{
	(void)state;
	expect(JSON, "", "\"\"");
	expect(JSON, "a\"b\\c;d/", "\"a\\\"b\\\\c;d/\"");
	expect(JSON, "a\nb\tc", "\"a\\nb\\tc\"");
	expect(JSON, "\x1b[31m\x01\x7f", "\"\\u001b[31m\\u0001\\u007f\"");
	expect(JSON, "\xff!", "\"\xef\xbf\xbd!\"");
	expect(JSON, "a\xe2\x82", "\"a\xef\xbf\xbd\xef\xbf\xbd\"");
	expect(JSON, "\xc2\x9b\xe2\x80\xae", "\"\\u009b\\u202e\"");
	expect(JSON, "é漢😀", "\"é漢😀\"");
}

static void folded_frames_split_no_line_and_no_frame(void **state)
{
	(void)state;
	expect(FOLDED, "a;b\nc", "a:b\\x0ac");
	expect(FOLDED, "operator new(unsigned long)", "operator new(unsigned long)");
	expect(FOLDED, "\x1b[1m\\", "\\x1b[1m\\\\");
	expect(FOLDED, "swapper 5", "swapper 5");
	expect(FOLDED_LAST, ";\xff;", ":\\xff:");
}

static void the_last_folded_frame_ends_in_no_number(void **state)
{
	(void)state;
	expect(FOLDED_LAST, "swapper 5", "swapper_5");
	expect(FOLDED_LAST, "a;b  10", "a:b _10");
	expect(FOLDED_LAST, "a 1 2", "a 1_2");
	expect(FOLDED_LAST, "a 1.5", "a_1.5");
	expect(FOLDED_LAST, "a 7.", "a_7.");
	expect(FOLDED_LAST, "a 1.5.2", "a 1.5.2");
	expect(FOLDED_LAST, "a 5b", "a 5b");
	expect(FOLDED_LAST, "a .", "a .");
	expect(FOLDED_LAST, "a ", "a ");
	expect(FOLDED_LAST, "42", "42");
	expect(FOLDED_LAST, " 5", "_5");
	expect(FOLDED_LAST, "", "");
}

static void fail_says_one_safe_line_and_gives_the_status(void **state)
{
	FILE *f = tmpfile();
	char line[256] = "";
	int saved = dup(STDERR_FILENO);
	enum status status;

	(void)state;
	assert_non_null(f);
	assert_int_equal(dup2(fileno(f), STDERR_FILENO), STDERR_FILENO);
	status = (fail)(CANNOT, "no %s\nhere\x1b[2J", "hook");
	warn("still");
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	close(saved);
	assert_int_equal(status, CANNOT);
	rewind(f);
	assert_non_null(fgets(line, sizeof(line), f));
	assert_string_equal(line, "ktrace: no hook\\x0ahere\\x1b[2J\n");
	assert_non_null(fgets(line, sizeof(line), f));
	assert_string_equal(line, "ktrace: still\n");
	assert_null(fgets(line, sizeof(line), f));
	fclose(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(times_have_three_digits_and_a_unit),
	    cmocka_unit_test(bytes_have_binary_units_and_a_sign),
	    cmocka_unit_test(loads_are_rounded_to_their_decimals),
	    cmocka_unit_test(points_in_time_are_utc_where_asked),
	    cmocka_unit_test(text_lets_nothing_steer_the_terminal),
	    cmocka_unit_test(text_takes_only_well_formed_utf8),
	    cmocka_unit_test(text_keeps_other_scripts_and_knows_their_width),
	    cmocka_unit_test(a_cut_text_never_takes_more_columns),
	    cmocka_unit_test(json_strings_hold_any_bytes),
	    cmocka_unit_test(folded_frames_split_no_line_and_no_frame),
	    cmocka_unit_test(the_last_folded_frame_ends_in_no_number),
	    cmocka_unit_test(fail_says_one_safe_line_and_gives_the_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
