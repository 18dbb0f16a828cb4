/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/maps.h"

/* The path of the first line; "" when it has none, NULL when there is no line. */
static const char *path_of(const char *text, size_t len, struct maps_line *l)
{
	const char *at = text;

	memset(l, 0x55, sizeof(*l));
	return maps_next(&at, text + len, l) ? l->path : NULL;
}

static void assert_path(const char *line, const char *want, bool deleted)
{
	struct maps_line l;

	assert_string_equal(path_of(line, strlen(line), &l), want);
	assert_ptr_equal(l.seen.path, l.path);
	assert_int_equal(l.seen.deleted, deleted);
	assert_true(l.executable);
}

static void a_line_is_taken_apart(void **state)
{
	static const char text[] =
	    "7f0000000000-7f0000100000 r-xp 00026000 fe:1a 99         /usr/lib/libc.so.6\n"
	    "7f0000200000-7f0000300000 rw-p 00000000 00:00 0 \n";
	const char *at = text, *end = text + sizeof(text) - 1;
	struct maps_line l;

	(void)state;
	assert_true(maps_next(&at, end, &l));
	assert_int_equal(l.seen.start, 0x7f0000000000);
	assert_int_equal(l.seen.end, 0x7f0000100000);
	assert_int_equal(l.pgoff, 0x26000);
	assert_int_equal(l.seen.major, 0xfe);
	assert_int_equal(l.seen.minor, 0x1a);
	assert_int_equal(l.seen.inode, 99);
	assert_string_equal(l.seen.path, "/usr/lib/libc.so.6");
	assert_true(l.executable);
	assert_true(maps_next(&at, end, &l));
	assert_false(l.executable);
	assert_ptr_equal(at, end);
	assert_false(maps_next(&at, end, &l));
}

static void every_kind_of_name_is_read(void **state)
{
	(void)state;
	assert_path("1000-2000 r-xp 00003000 00:00 0 \n", "", false);
	assert_path("1000-2000 rwxp 00000000 00:00 0", "", false);
	assert_path("1000-2000 r-xp 00000000 00:00 0          [vdso]\n", "[vdso]", false);
	assert_path("1000-2000 --xp 00000000 00:00 0          [vsyscall]\n", "[vsyscall]", false);
	assert_path("1000-2000 rwxp 00000000 00:00 0          [anon:a/b]\n", "[anon:a/b]", false);
	assert_path("1000-2000 r-xp 0 0:1 7   /tmp/old lib.so (deleted)\n", "/tmp/old lib.so",
		    true);
	assert_path("1000-2000 r-xp 0 0:1 7   /memfd:jit (deleted)\n", "/memfd:jit", true);
	assert_path("1000-2000 r-xp 0 0:1 7   (deleted)\n", "(deleted)", false);
	assert_path("1000-2000 r-xp 0 0:1 7   /tmp/two  blanks \n", "/tmp/two  blanks ", false);
	assert_path("1000-2000 r-xp 0 0:1 7   /tmp/a\\012b\n", "/tmp/a\nb", false);
	assert_path("1000-2000 r-xp 0 0:1 7   /tmp/\\012\n", "/tmp/\n", false);
	assert_path("1000-2000 r-xp 0 0:1 7   /tmp/\\01\n", "/tmp/\\01", false);
	assert_path("1000-2000 r-xp 0 0:1 7   /tmp/\x1b[2J\xff\n", "/tmp/\x1b[2J\xff", false);
}

static void numbers_are_read_to_their_ends(void **state)
{
	static const char line[] =
	    "0-ffffffffffffffff r-xp fffffffffffff000 ffffffff:100001 18446744073709551615 /x\n";
	struct maps_line l;

	(void)state;
	assert_string_equal(path_of(line, sizeof(line) - 1, &l), "/x");
	assert_int_equal(l.seen.start, 0);
	assert_true(l.seen.end == UINT64_MAX);
	assert_true(l.pgoff == 0xfffffffffffff000);
	assert_int_equal(l.seen.major, 0xffffffff);
	assert_int_equal(l.seen.minor, 0x100001);
	assert_true(l.seen.inode == UINT64_MAX);
}

static void what_is_no_file_begins_at_its_mapping(void **state)
{
	static const char line[] = "1000-2000 r-xp 00003000 00:00 0 \n";
	struct maps_line l;

	(void)state;
	assert_non_null(path_of(line, sizeof(line) - 1, &l));
	assert_int_equal(l.pgoff, 0);
}

static void hostile_lines_are_skipped(void **state)
{
	static const char *const lines[] = {
	    "",
	    "\n\n\n",
	    "1000",
	    "1000-",
	    "1000-2000",
	    "1000-2000 r-xp",
	    "1000-2000 r-xp ",
	    "1000-2000 r-xp 0",
	    "1000-2000 r-xp 0 0:0",
	    "1000-2000 r-xp 0 0:0 ",
	    "1000-2000 r-xp 0 0 1 /device",
	    "1000-2000 r-xp 0 123456789:0 1 /device\n",
	    "1000-2000 r-xp 0 0:0 18446744073709551616 /inode\n",
	    "1000-2000 r-xp 0 0:0 99999999999999999999999 /inode\n",
	    "1000-2000 r-xp 0 0:0 1x /inode\n",
	    "2000-1000 r-xp 0 0:0 0 /backwards\n",
	    "1000-1000 r-xp 0 0:0 0 /empty\n",
	    "10000000000001000-2000 r-xp 0 0:0 0 /seventeen\n",
	    "-1000-2000 r-xp 0 0:0 0 /sign\n",
	    "0x1000-0x2000 r-xp 0 0:0 0 /prefix\n",
	    "1000-2000 rrrrrrrrrrrrrrr 0 0:0 0 /perms\n",
	    "1000-2000 r-x 0 0:0 0 /perms\n",
	    "1000-2000 r-xp zz 0:0 0 /pgoff\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		/* the exact size, for the sanitizer to see a byte read too much */
		size_t len = strlen(lines[i]);
		char *text = calloc(1, len + !len);
		struct maps_line l;

		assert_non_null(text);
		memcpy(text, lines[i], len);
		assert_null(path_of(text, len, &l));
		free(text);
	}
}

static void a_nul_byte_spoils_only_its_line(void **state)
{
	static const char text[] = "1000-2000 r-xp 0 0:0 1 /a\0b\n3000-4000 r-xp 0 0:0 1 /c\n";
	struct maps_line l;

	(void)state;
	assert_string_equal(path_of(text, sizeof(text) - 1, &l), "/c");
}

static void an_overlong_path_keeps_its_last_part(void **state)
{
	size_t len = 100000;
	char *text = calloc(1, len + 64);
	int at = sprintf(text, "1000-2000 r-xp 0 0:0 1 /");
	struct maps_line l;

	(void)state;
	memset(text + at, 'n', len);
	assert_non_null(path_of(text, at + len, &l));
	assert_int_equal(strlen(l.path), MAPS_PATH_MAX - 1);
	strcpy(text + at + len - 9, "/lib.so.1");
	assert_string_equal(path_of(text, at + len, &l), "/lib.so.1");
	text[at + len - MAPS_PATH_MAX + 1] = '/';
	assert_non_null(path_of(text, at + len, &l));
	assert_int_equal(strlen(l.path), MAPS_PATH_MAX - 1);
	assert_memory_equal(l.path, "/nnn", 4);
	free(text);
}

static void the_maps_of_a_process_are_read(void **state)
{
	const char *at, *end;
	struct maps_line l;
	bool found = false;
	size_t len;
	char *text;

	(void)state;
	assert_int_equal(maps_read(getpid(), &text, &len), 0);
	for (at = text, end = text + len; maps_next(&at, end, &l);)
		found |= l.executable && l.seen.start <= (uintptr_t)path_of &&
			 (uintptr_t)path_of < l.seen.end && strstr(l.path, "/test_maps");
	assert_true(found);
	free(text);
	assert_int_equal(maps_read(4194305, &text, &len), -ESRCH);
	assert_null(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_line_is_taken_apart),
	    cmocka_unit_test(every_kind_of_name_is_read),
	    cmocka_unit_test(numbers_are_read_to_their_ends),
	    cmocka_unit_test(what_is_no_file_begins_at_its_mapping),
	    cmocka_unit_test(hostile_lines_are_skipped),
	    cmocka_unit_test(a_nul_byte_spoils_only_its_line),
	    cmocka_unit_test(an_overlong_path_keeps_its_last_part),
	    cmocka_unit_test(the_maps_of_a_process_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
