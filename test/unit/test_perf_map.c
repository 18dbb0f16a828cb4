/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/perf_map.h"

static struct perf_map *parsed(const char *text)
{
	struct perf_map *map = perf_map_parse(text, strlen(text));

	assert_non_null(map);
	return map;
}

static void assert_found(const struct perf_map *map, uint64_t ip, const char *want,
			 uint64_t want_start)
{
	uint64_t start = 0;
	const char *name = perf_map_find(map, ip, &start);

	assert_non_null(name);
	assert_string_equal(name, want);
	assert_int_equal(start, want_start);
}

static void assert_none(const struct perf_map *map, uint64_t ip)
{
	uint64_t start;

	assert_null(perf_map_find(map, ip, &start));
}

static void an_address_has_the_function_that_covers_it(void **state)
{
	struct perf_map *map = parsed("7f00 20 LazyCompile:~add /x.js:1\n"
				      "0x7f40 0x10 void Foo::bar(int, char)\n"
				      "7e00 100 first\n");

	(void)state;
	assert_found(map, 0x7f00, "LazyCompile:~add /x.js:1", 0x7f00);
	assert_found(map, 0x7f1f, "LazyCompile:~add /x.js:1", 0x7f00);
	assert_none(map, 0x7f20);
	assert_found(map, 0x7f4f, "void Foo::bar(int, char)", 0x7f40);
	assert_found(map, 0x7eff, "first", 0x7e00);
	assert_none(map, 0x7dff);
	assert_none(map, UINT64_MAX);
	perf_map_free(map);
}

static void memory_used_again_has_the_name_written_last(void **state)
{
	struct perf_map *map = parsed("1000 100 old\n"
				      "1000 40 new\n"
				      "1080 40 newer\n"
				      "1090 10 old_inside\n"
				      "1090 8 new_inside\n");

	(void)state;
	assert_found(map, 0x1010, "new", 0x1000);
	assert_found(map, 0x1050, "old", 0x1000);
	assert_found(map, 0x1088, "newer", 0x1080);
	assert_found(map, 0x1094, "new_inside", 0x1090);
	assert_found(map, 0x109a, "old_inside", 0x1090);
	assert_found(map, 0x10c8, "old", 0x1000);
	perf_map_free(map);
}

static void lines_that_are_none_are_left_out(void **state)
{
	struct perf_map *map = parsed("garbage\n\n1000 10\n1000 10 \n 1000 10 a\n"
				      "11111111111111111 10 too_long\n"
				      "ffffffffffffff00 200 wraps\n"
				      "1000 0 empty\n"
				      "1000g 10 bad\n"
				      "-1000 10 minus\n"
				      "2000 10 good\n"
				      "3000 10 half");

	(void)state;
	assert_none(map, 0x1000);
	assert_none(map, 0xffffffffffffff10);
	assert_found(map, 0x2000, "good", 0x2000);
	assert_none(map, 0x3000); /* the line is still being written */
	perf_map_free(map);
}

static void names_are_bounded(void **state)
{
	size_t len = 100000;
	char *text = malloc(len);
	struct perf_map *map;
	uint64_t start;

	(void)state;
	assert_non_null(text);
	memset(text, 'x', len);
	memcpy(text, "1000 10 ", 8);
	text[len - 1] = '\n';
	map = perf_map_parse(text, len);
	assert_non_null(map);
	assert_int_equal(strlen(perf_map_find(map, 0x1000, &start)), 1024);
	perf_map_free(map);
	free(text);
}

static void write_own_map(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void a_map_is_read_again_when_it_has_grown(void **state)
{
	struct perf_map *map = NULL, *before;
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", getpid());
	unlink(path);
	perf_map_reload(&map, (uint32_t)getpid());
	assert_null(map);
	write_own_map(path, "1000 10 one\n");
	perf_map_reload(&map, (uint32_t)getpid());
	assert_non_null(map);
	assert_found(map, 0x1000, "one", 0x1000);
	before = map;
	perf_map_reload(&map, (uint32_t)getpid());
	assert_ptr_equal(map, before);
	write_own_map(path, "1000 10 one\n2000 10 two\n");
	perf_map_reload(&map, (uint32_t)getpid());
	assert_found(map, 0x2000, "two", 0x2000);
	unlink(path);
	perf_map_reload(&map, (uint32_t)getpid()); /* gone: what was known stays */
	assert_found(map, 0x2000, "two", 0x2000);
	perf_map_free(map);
}

static void links_fifos_and_files_of_others_are_not_read(void **state)
{
	struct perf_map *map = NULL;
	char path[64], target[80];

	(void)state;
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", getpid());
	snprintf(target, sizeof(target), "%s.target", path);
	write_own_map(target, "1000 10 one\n");
	unlink(path);
	assert_int_equal(symlink(target, path), 0);
	perf_map_reload(&map, (uint32_t)getpid());
	assert_null(map);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	perf_map_reload(&map, (uint32_t)getpid());
	assert_null(map);
	unlink(path);
	if (!geteuid()) {
		assert_int_equal(rename(target, path), 0);
		assert_int_equal(chown(path, 65534, 65534), 0);
		perf_map_reload(&map, (uint32_t)getpid());
		assert_null(map);
	}
	unlink(path);
	unlink(target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_address_has_the_function_that_covers_it),
	    cmocka_unit_test(memory_used_again_has_the_name_written_last),
	    cmocka_unit_test(lines_that_are_none_are_left_out),
	    cmocka_unit_test(names_are_bounded),
	    cmocka_unit_test(a_map_is_read_again_when_it_has_grown),
	    cmocka_unit_test(links_fifos_and_files_of_others_are_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
