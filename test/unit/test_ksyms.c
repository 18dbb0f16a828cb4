/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/ksyms.h"

#define TEXT 0xffffffff81000000ULL
#define MODULE 0xffffffffc0000000ULL

static int load_with(int (*loader)(struct ksyms **, const char *), struct ksyms **ks,
		     const char *text, size_t len)
{
	char path[] = "/tmp/ktrace-ksyms-XXXXXX";
	int fd = mkstemp(path), err;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
	*ks = NULL;
	err = loader(ks, path);
	unlink(path);
	return err;
}

static int load(struct ksyms **ks, const char *text, size_t len)
{
	return load_with(ksyms_load, ks, text, len);
}

static struct ksyms *loaded(const char *text)
{
	struct ksyms *ks;

	assert_int_equal(load(&ks, text, strlen(text)), 0);
	return ks;
}

static void assert_named(const struct ksyms *ks, uint64_t addr, bool offset, const char *want)
{
	char buf[128];

	assert_string_equal(ksyms_format(ks, addr, offset, buf, sizeof(buf)), want);
}

static void names_an_address_with_module_and_offset(void **state)
{
	struct ksyms *ks = loaded("ffffffff81000000 T _stext\n"
				  "ffffffff81000100 T vfs_read\n"
				  "ffffffff81000200 t vfs_write\n"
				  "ffffffff81000300 T _etext\n"
				  "ffffffffc0000010 t ext4_open\t[ext4]\n"
				  "ffffffffc0010000 t bpf_prog_0123456789abcdef_x\t[bpf]\n");

	(void)state;
	assert_named(ks, TEXT + 0x100, false, "vfs_read");
	assert_named(ks, TEXT + 0x1ff, false, "vfs_read");
	assert_named(ks, TEXT + 0x21f, true, "vfs_write+0x1f");
	assert_named(ks, MODULE + 0x10, false, "ext4_open [ext4]");
	assert_named(ks, MODULE + 0x2f, true, "ext4_open+0x1f [ext4]");
	assert_string_equal(ksym_module(ks, ksyms_find(ks, MODULE + 0x10010)), "bpf");
	assert_null(ksym_module(ks, ksyms_find(ks, TEXT + 0x100)));
	assert_int_equal(ksyms_find(ks, TEXT + 0x1ff)->start, TEXT + 0x100);
	ksyms_free(ks);
}

static void nothing_is_named_beyond_text_and_modules(void **state)
{
	struct ksyms *ks = loaded("ffffffff81000000 T _stext\n"
				  "ffffffff81000100 T last\n"
				  "ffffffff81000300 T _etext\n"
				  "ffffffffc0000010 t ext4_open\t[ext4]\n");

	(void)state;
	assert_null(ksyms_find(ks, 0));
	assert_null(ksyms_find(ks, TEXT - 1));
	assert_non_null(ksyms_find(ks, TEXT + 0x2ff));
	assert_null(ksyms_find(ks, TEXT + 0x300));
	assert_null(ksyms_find(ks, MODULE));
	assert_non_null(ksyms_find(ks, MODULE + 0x10 + 0xffff));
	assert_null(ksyms_find(ks, MODULE + 0x10 + 0x10000));
	assert_null(ksyms_find(ks, UINT64_MAX));
	assert_named(ks, TEXT - 1, false, "[unknown]");
	assert_named(ks, TEXT - 1, true, "0xffffffff80ffffff");
	ksyms_free(ks);
}

static void a_symbol_at_the_top_of_the_address_space_ends_there(void **state)
{
	struct ksyms *ks = loaded("fffffffffffffff0 T top\n");

	(void)state;
	assert_non_null(ksyms_find(ks, UINT64_MAX - 1));
	assert_null(ksyms_find(ks, 0));
	ksyms_free(ks);
}

static void data_that_shows_as_text_is_left_out(void **state)
{
	struct ksyms *ks = loaded("0000000000000010 T percpu_thing\n"
				  "ffffffff81000000 T _stext\n"
				  "ffffffff81000100 T vfs_read\n"
				  "ffffffff81000200 d real_data\n"
				  "ffffffff81000300 T _etext\n"
				  "ffffffff82000000 T jiffies\n"
				  "ffffffffc0000000 T mod_func\t[m]\n"
				  "ffffffffc0000100 b mod_data\t[m]\n");
	uint64_t lo, hi;

	(void)state;
	assert_false(ksyms_range(ks, "percpu_thing", &lo, &hi));
	assert_false(ksyms_range(ks, "jiffies", &lo, &hi));
	assert_false(ksyms_range(ks, "real_data", &lo, &hi));
	assert_false(ksyms_range(ks, "mod_data", &lo, &hi));
	assert_true(ksyms_range(ks, "mod_func", &lo, &hi));
	assert_int_equal(ksyms_count(ks), 3);
	ksyms_free(ks);
}

static void prefixes_and_mapping_symbols_are_left_out(void **state)
{
	struct ksyms *ks = loaded("ffffffff810000f0 t __pfx_vfs_read\n"
				  "ffffffff810000f8 T __cfi_vfs_read\n"
				  "ffffffff81000100 T vfs_read\n"
				  "ffffffff81000101 t $x\n"
				  "ffffffff81000102 t .Lloop\n"
				  "ffffffff81000200 W weak_one\n");

	(void)state;
	assert_int_equal(ksyms_count(ks), 2);
	assert_named(ks, TEXT + 0x102, true, "vfs_read+0x2");
	assert_named(ks, TEXT + 0x200, false, "weak_one");
	ksyms_free(ks);
}

static void the_better_name_wins_in_any_order(void **state)
{
	static const struct {
		const char *best, *other;
	} pairs[] = {
	    {"T __x64_sys_a", "t __do_sys_a"},
	    {"T __x64_sys_a", "T __ia32_sys_a"},
	    {"T memcpy", "T __memcpy"},
	    {"T strong", "W weak"},
	    {"W weak", "t local"},
	    {"t common_return", "T __irqentry_text_end"},
	    {"t entry", "T _stext"},
	    {"T aa", "T ab"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		for (int turn = 0; turn < 2; turn++) {
			const char *a = turn ? pairs[i].best : pairs[i].other;
			const char *b = turn ? pairs[i].other : pairs[i].best;
			char text[256];
			struct ksyms *ks;

			snprintf(text, sizeof(text), "ffffffff81000000 %s\nffffffff81000000 %s\n",
				 a, b);
			ks = loaded(text);
			assert_named(ks, TEXT, false, pairs[i].best + 2);
			ksyms_free(ks);
		}
}

static void an_unsorted_file_gives_the_same_answers(void **state)
{
	struct ksyms *ks = loaded("ffffffffc0000300 t m3\t[m]\n"
				  "ffffffff81000200 T b\n"
				  "ffffffffc0000100 t m1\t[m]\n"
				  "0000008000000000 t low\t[arm]\n"
				  "ffffffff81000100 T a\n"
				  "ffffffffc0000200 t m2\t[n]\n");

	(void)state;
	assert_named(ks, TEXT + 0x110, true, "a+0x10");
	assert_named(ks, TEXT + 0x210, true, "b+0x10");
	assert_named(ks, MODULE + 0x110, true, "m1+0x10 [m]");
	assert_named(ks, MODULE + 0x210, true, "m2+0x10 [n]");
	assert_named(ks, MODULE + 0x310, true, "m3+0x10 [m]");
	assert_named(ks, 0x8000000001, true, "low+0x1 [arm]");
	ksyms_free(ks);
}

static void a_range_ends_at_the_next_address(void **state)
{
	struct ksyms *ks = loaded("ffffffff81000100 T f\n"
				  "ffffffff81000100 T __f_alias\n"
				  "ffffffff81000200 t copy\n"
				  "ffffffff81000300 t g\n"
				  "ffffffff81000400 t copy\n"
				  "ffffffff81000480 t h\n");
	struct ksym_range ranges[2] = {0};
	uint64_t lo, hi;

	(void)state;
	assert_true(ksyms_range(ks, "f", &lo, &hi));
	assert_int_equal(lo, TEXT + 0x100);
	assert_int_equal(hi, TEXT + 0x200);
	assert_true(ksyms_range(ks, "__f_alias", &lo, &hi));
	assert_int_equal(hi, TEXT + 0x200);
	assert_false(ksyms_range(ks, "cop", &lo, &hi));
	assert_int_equal(ksyms_ranges(ks, "copy", ranges, 1), 2);
	assert_int_equal(ranges[1].lo, 0);
	assert_int_equal(ksyms_ranges(ks, "copy", ranges, 2), 2);
	assert_int_equal(ranges[0].lo, TEXT + 0x200);
	assert_int_equal(ranges[0].hi, TEXT + 0x300);
	assert_int_equal(ranges[1].lo, TEXT + 0x400);
	assert_int_equal(ranges[1].hi, TEXT + 0x480);
	ksyms_free(ks);
}

static void hidden_absent_and_empty_files_are_told_apart(void **state)
{
	static const char hidden[] = "0000000000000000 T _stext\n0000000000000000 t x\t[m]\n";
	struct ksyms *ks = NULL;

	(void)state;
	assert_int_equal(load(&ks, hidden, strlen(hidden)), -EPERM);
	assert_int_equal(load(&ks, "", 0), -ENODATA);
	assert_int_equal(load(&ks, "ffffffff81000000 d data\n", 24), -ENODATA);
	assert_int_equal(ksyms_load(&ks, "/nonexistent/kallsyms"), -ENOENT);
	assert_int_equal(ksyms_load(&ks, "/tmp"), -EISDIR);
	assert_null(ks);
}

static void bad_lines_are_skipped_and_the_last_needs_no_newline(void **state)
{
	static const char text[] =
	    "\n \nffffffff81000000\nffffffff81000000 T\nffffffff81000000 T \n"
	    "xyz T name\nfffffffff81000000 T seventeen_digits\n"
	    "ffffffff81000010 T nul\0inside\nffffffff81000020  T two_blanks\n"
	    "ffffffff81000040 T odd\t[\nffffffff81000050 T odd2\t[]\n"
	    "ffffffff81000100 T good";
	struct ksyms *ks;

	(void)state;
	assert_int_equal(load(&ks, text, sizeof(text) - 1), 0);
	assert_int_equal(ksyms_count(ks), 3);
	assert_named(ks, TEXT + 0x48, true, "odd+0x8");
	assert_named(ks, TEXT + 0x58, true, "odd2+0x8");
	assert_named(ks, TEXT + 0x108, true, "good+0x8");
	ksyms_free(ks);
}

static void lines_across_read_chunks_stay_whole(void **state)
{
	enum { LINES = 60000, LINE = 34 };
	char *text = malloc(LINES * LINE + 1);
	struct ksyms *ks;

	(void)state;
	assert_non_null(text);
	for (unsigned i = 0; i < LINES; i++)
		sprintf(text + i * LINE, "%016llx t function_%05u\n", TEXT + i * 16, i);
	assert_int_equal(load(&ks, text, strlen(text)), 0);
	assert_int_equal(ksyms_count(ks), LINES);
	for (unsigned i = 0; i < LINES; i++) {
		char want[32];

		snprintf(want, sizeof(want), "function_%05u+0x5", i);
		assert_named(ks, TEXT + i * 16 + 5, true, want);
	}
	ksyms_free(ks);
	free(text);
}

static void a_line_without_end_is_an_error(void **state)
{
	size_t len = 1 << 20;
	char *text = malloc(len);
	struct ksyms *ks;

	(void)state;
	assert_non_null(text);
	memset(text, 'f', len);
	assert_int_equal(load(&ks, text, len), -EINVAL);
	free(text);
}

static void a_name_is_cut_to_the_buffer(void **state)
{
	struct ksyms *ks = loaded("ffffffff81000100 T a_rather_long_name\n");
	char buf[8];

	(void)state;
	assert_string_equal(ksyms_format(ks, TEXT + 0x100, false, buf, sizeof(buf)), "a_rathe");
	ksyms_free(ks);
}

static void without_symbols_nothing_is_known_and_nothing_trimmed(void **state)
{
	char buf[32];

	(void)state;
	assert_null(ksyms_find(NULL, TEXT));
	assert_string_equal(ksyms_format(NULL, TEXT, false, buf, sizeof(buf)), "[unknown]");
	assert_int_equal(ksyms_trim(NULL, (const uint64_t[]){1, 2}, 2, NULL), 0);
	assert_int_equal(ksyms_count(NULL), 0);
	ksyms_free(NULL);
}

#define DATA_LINES                                \
	"0000000000012340 D a_per_cpu_thing\n"    \
	"ffffffff81000000 T _stext\n"             \
	"ffffffff81000100 T vfs_read\n"           \
	"ffffffff82000000 T _etext\n"             \
	"ffffffff82a00000 d truth_lock\n"         \
	"ffffffff82a00040 T shown_as_text\n"      \
	"ffffffff82a00080 b next\n"               \
	"ffffffffc0000010 d table_lock\t[ext4]\n" \
	"ffffffffc0000050 d other\t[ext4]\n"

static void static_data_is_named_and_functions_are_not(void **state)
{
	static const char text[] = DATA_LINES "ffffffff82b00000 D init_task\n";
	struct ksyms *ks = NULL;

	(void)state;
	assert_int_equal(load_with(ksyms_load_data, &ks, text, strlen(text)), 0);
	assert_named(ks, 0xffffffff82a00000, false, "truth_lock");
	assert_named(ks, 0xffffffff82a00008, true, "truth_lock+0x8");
	assert_named(ks, 0xffffffff82a00044, true, "shown_as_text+0x4");
	assert_named(ks, 0xffffffffc0000010, false, "table_lock [ext4]");
	assert_null(ksyms_find(ks, 0xffffffff81000100));
	assert_null(ksyms_find(ks, 0x12340));
	assert_null(ksyms_find(ks, 0xffff888000000000));
	ksyms_free(ks);
}

static void section_marks_alone_name_no_data(void **state)
{
	static const char text[] = DATA_LINES;
	struct ksyms *ks = NULL;

	(void)state;
	assert_int_equal(load_with(ksyms_load_data, &ks, text, strlen(text)), 0);
	assert_null(ksyms_find(ks, 0xffffffff82a00000));
	assert_named(ks, 0xffffffffc0000010, false, "table_lock [ext4]");
	ksyms_free(ks);
}

static void this_kernel_names_a_well_known_function(void **state)
{
	struct ksyms *ks = NULL;
	uint64_t lo, hi;
	int err = ksyms_load(&ks, NULL);

	(void)state;
	if (err == -EPERM || err == -ENOENT)
		skip();
	assert_int_equal(err, 0);
	assert_true(ksyms_range(ks, "vfs_read", &lo, &hi));
	assert_true(hi > lo && hi - lo < 0x10000);
	assert_named(ks, lo, false, "vfs_read");
	ksyms_free(ks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_an_address_with_module_and_offset),
	    cmocka_unit_test(nothing_is_named_beyond_text_and_modules),
	    cmocka_unit_test(a_symbol_at_the_top_of_the_address_space_ends_there),
	    cmocka_unit_test(data_that_shows_as_text_is_left_out),
	    cmocka_unit_test(prefixes_and_mapping_symbols_are_left_out),
	    cmocka_unit_test(the_better_name_wins_in_any_order),
	    cmocka_unit_test(an_unsorted_file_gives_the_same_answers),
	    cmocka_unit_test(a_range_ends_at_the_next_address),
	    cmocka_unit_test(hidden_absent_and_empty_files_are_told_apart),
	    cmocka_unit_test(bad_lines_are_skipped_and_the_last_needs_no_newline),
	    cmocka_unit_test(lines_across_read_chunks_stay_whole),
	    cmocka_unit_test(a_line_without_end_is_an_error),
	    cmocka_unit_test(a_name_is_cut_to_the_buffer),
	    cmocka_unit_test(without_symbols_nothing_is_known_and_nothing_trimmed),
	    cmocka_unit_test(static_data_is_named_and_functions_are_not),
	    cmocka_unit_test(section_marks_alone_name_no_data),
	    cmocka_unit_test(this_kernel_names_a_well_known_function),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
