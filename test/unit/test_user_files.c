/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/user_files.h"

static char dir[] = "/tmp/test_user_files.XXXXXX";
static const struct mapping nowhere = {.start = 0x1000, .end = 0x2000};

static const char *in_dir(const char *name)
{
	static char path[4][64];
	static unsigned next;
	char *to = path[next++ % 4];

	snprintf(to, sizeof(path[0]), "%s/%s", dir, name);
	return to;
}

static void copy_self(const char *to)
{
	char command[128];

	snprintf(command, sizeof(command), "cp /proc/%d/exe %s", getpid(), to);
	assert_int_equal(system(command), 0);
}

static struct user_file_seen seen_at(const char *path)
{
	struct user_file_seen seen = {.path = path, .start = 0x1000, .end = 0x2000};
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	seen.major = major(st.st_dev);
	seen.minor = minor(st.st_dev);
	seen.inode = st.st_ino;
	return seen;
}

static uint32_t noted(struct user_files *files, const char *path)
{
	const struct user_file_seen seen = seen_at(path);
	uint32_t file = user_files_note(files, &seen);

	assert_int_not_equal(file, USER_FILE_NONE);
	return file;
}

/* Where a function of ours lies in the file, told by the file's own table. */
__attribute__((noinline)) static uint64_t own_offset(void)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	struct elf_symbols *symbols = NULL;
	struct elf_symbol symbol;

	assert_int_equal(elf_symbols_load(&symbols, fd, NULL, ""), 0);
	assert_true(elf_symbols_named(symbols, "own_offset", &symbol));
	elf_symbols_free(symbols);
	close(fd);
	return symbol.start;
}

static bool has_names(struct user_files *files, uint32_t file)
{
	struct mapping map = nowhere;
	struct elf_symbol symbol;

	map.file = file;
	return user_files_symbol(files, &map, 0, own_offset(), &symbol) &&
	       !strcmp(symbol.name, "own_offset");
}

static void a_file_is_one_whoever_maps_it(void **state)
{
	struct user_files *files = user_files_new();
	struct user_file_seen seen;
	uint32_t first;

	(void)state;
	copy_self(in_dir("one"));
	first = noted(files, in_dir("one"));
	seen = seen_at(in_dir("one"));
	seen.tgid = 4194305;
	assert_int_equal(user_files_note(files, &seen), first);
	seen.inode++;
	assert_int_not_equal(user_files_note(files, &seen), first);
	assert_int_equal(link(in_dir("one"), in_dir("two")), 0);
	assert_int_not_equal(noted(files, in_dir("two")), first);
	assert_string_equal(user_files_name(files, first), "one");
	user_files_free(files);
}

static void copies_of_one_build_share_their_symbols(void **state)
{
	struct user_files *files = user_files_new();

	(void)state;
	copy_self(in_dir("a"));
	copy_self(in_dir("b"));
	assert_true(has_names(files, noted(files, in_dir("a"))));
	assert_true(has_names(files, noted(files, in_dir("b"))));
	assert_int_equal(user_files_unread(files), 0);
	user_files_free(files); /* the sanitizer sees what is freed twice or never */
}

static void another_file_under_the_same_path_is_not_read(void **state)
{
	struct user_files *files = user_files_new();
	struct user_file_seen seen;
	struct stat st;
	uint32_t file;

	(void)state;
	copy_self(in_dir("old"));
	copy_self(in_dir("new"));
	assert_int_equal(stat(in_dir("old"), &st), 0);
	seen = seen_at(in_dir("old"));
	assert_int_equal(rename(in_dir("new"), in_dir("old")), 0);
	file = user_files_note(files, &seen);
	assert_false(has_names(files, file));
	assert_int_equal(user_files_unread(files), 1);
	assert_false(user_files_is_code(files, file));
	user_files_free(files);
}

/* What lies at its path is opened when it is noted, where it is to be had. */
static void a_file_that_went_after_it_was_noted_is_unread(void **state)
{
	struct user_files *files = user_files_new();
	uint32_t file;

	(void)state;
	copy_self(in_dir("gone"));
	file = noted(files, in_dir("gone"));
	unlink(in_dir("gone"));
	assert_false(has_names(files, file));
	assert_int_equal(user_files_unread(files), 1);
	user_files_free(files);
}

static void a_file_that_is_no_program_is_nothing_unread_twice(void **state)
{
	struct user_files *files = user_files_new();
	FILE *f = fopen(in_dir("text"), "w");
	uint32_t file;

	(void)state;
	assert_non_null(f);
	fputs("not an ELF file", f);
	fclose(f);
	file = noted(files, in_dir("text"));
	assert_false(has_names(files, file));
	assert_false(has_names(files, file));
	assert_int_equal(user_files_unread(files), 1);
	assert_false(user_files_is_code(files, file));
	user_files_free(files);
}

static void memory_without_a_file_is_told_by_its_name(void **state)
{
	struct user_files *files = user_files_new();
	struct user_file_seen seen = {.path = "[heap]"};
	uint32_t heap = user_files_note(files, &seen), anon;

	(void)state;
	seen.path = "";
	anon = user_files_note(files, &seen);
	assert_int_not_equal(heap, anon);
	assert_string_equal(user_files_name(files, heap), "[heap]");
	assert_string_equal(user_files_name(files, anon), "[anon]");
	assert_false(has_names(files, anon));
	assert_int_equal(user_files_unread(files), 0);
	user_files_free(files);
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_file_is_one_whoever_maps_it),
	    cmocka_unit_test(copies_of_one_build_share_their_symbols),
	    cmocka_unit_test(another_file_under_the_same_path_is_not_read),
	    cmocka_unit_test(a_file_that_went_after_it_was_noted_is_unread),
	    cmocka_unit_test(a_file_that_is_no_program_is_nothing_unread_twice),
	    cmocka_unit_test(memory_without_a_file_is_told_by_its_name),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
