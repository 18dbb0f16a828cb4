// SPDX-License-Identifier: GPL-2.0-or-later
/* Functions and data from one reading of kallsyms; reading it ahead, and anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/host.h"
#include "core/ksyms.h"
#include "core/symbols.h"

static const char kernel[] = "ffffffff81000000 T _stext\n"
			     "ffffffff81000100 T vfs_read\n"
			     "ffffffff82000000 T _etext\n"
			     "ffffffff82a00000 d truth_lock\n"
			     "ffffffff82a00100 D init_task\n";

static int load_both(struct ksyms **text, struct ksyms **data, const char *content)
{
	int fd = memfd_create("kallsyms", 0), err;
	char path[32];

	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	err = ksyms_load_both(text, data, path);
	close(fd);
	return err;
}

static void each_table_has_its_own(void **state)
{
	struct ksyms *text = NULL, *data = NULL;
	uint64_t lo, hi;

	(void)state;
	assert_int_equal(load_both(&text, &data, kernel), 0);
	assert_true(ksyms_range(text, "vfs_read", &lo, &hi));
	assert_int_equal(lo, 0xffffffff81000100);
	assert_false(ksyms_range(text, "truth_lock", &lo, &hi));
	assert_true(ksyms_range(data, "truth_lock", &lo, &hi));
	assert_int_equal(hi, 0xffffffff82a00100);
	assert_false(ksyms_range(data, "vfs_read", &lo, &hi));
	ksyms_free(text);
	ksyms_free(data);
}

static void a_kernel_that_lists_no_data_has_its_functions(void **state)
{
	struct ksyms *text = NULL, *data = NULL;

	(void)state;
	assert_int_equal(load_both(&text, &data, "ffffffff81000100 T vfs_read\n"), 0);
	assert_int_equal(ksyms_count(text), 1);
	assert_int_equal(ksyms_count(data), 0);
	ksyms_free(text);
	ksyms_free(data);
}

static void what_cannot_be_read_leaves_no_table(void **state)
{
	struct ksyms *text = NULL, *data = NULL;

	(void)state;
	assert_int_equal(ksyms_load_both(&text, &data, "/nonexistent/kallsyms"), -ENOENT);
	assert_null(text);
	assert_null(data);
	assert_int_equal(load_both(&text, &data, "0000000000000000 T vfs_read\n"), -EPERM);
	assert_null(text);
	assert_null(data);
}

static struct ksyms_reader *reader_of(const char *content, enum ksyms_kind kind)
{
	struct ksyms_reader *reader;
	int fd = memfd_create("kallsyms", 0);
	char path[32];

	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(ksyms_reader_open(&reader, kind, path), 0);
	close(fd);
	return reader;
}

static void what_was_begun_is_read_to_its_end(void **state)
{
	struct ksyms_reader *reader = reader_of(kernel, KSYMS_BOTH);
	struct ksyms *text, *data;

	(void)state;
	assert_int_equal(ksyms_reader_end(reader, &text, &data), 0);
	assert_int_equal(ksyms_count(text), 2);
	assert_int_equal(ksyms_count(data), 3);
	ksyms_free(text);
	ksyms_free(data);
	reader = reader_of(kernel, KSYMS_TEXT);
	while (ksyms_reader_step(reader))
		;
	assert_int_equal(ksyms_reader_end(reader, &text, NULL), 0);
	assert_int_equal(ksyms_count(text), 2);
	ksyms_free(text);
	ksyms_reader_drop(reader_of(kernel, KSYMS_BOTH));
	ksyms_reader_drop(NULL);
}

/* The last line, without a newline, comes when the reader ends. */
static void a_line_that_is_not_ended_counts(void **state)
{
	struct ksyms_reader *reader =
	    reader_of("ffffffff81000100 T vfs_read\nffffffff81000200 T vfs_write", KSYMS_TEXT);
	struct ksyms *text;

	(void)state;
	while (ksyms_reader_step(reader))
		;
	assert_int_equal(ksyms_reader_end(reader, &text, NULL), 0);
	assert_int_equal(ksyms_count(text), 2);
	ksyms_free(text);
}

static uint64_t place_of(const struct ksyms *text)
{
	uint64_t lo = 0, hi;

	return ksyms_range(text, "vfs_read", &lo, &hi) ? lo : 0;
}

/* Of this kernel; where it hides its symbols the same error comes of all. */
static void symbols_read_ahead_are_those_that_are_asked_for(void **state)
{
	struct symbols ahead = {}, half = {}, asked = {};
	uint64_t next_ns;

	(void)state;
	symbols_begin(&ahead, UINT64_MAX / 2, 0);
	assert_true(symbols_read_ahead(&ahead) > UINT64_MAX / 2);
	assert_null(ahead.ahead); /* it is too soon */
	do {
		ahead.ahead_ns = 0;
		next_ns = symbols_read_ahead(&ahead);
	} while (next_ns != UINT64_MAX);
	assert_true(ahead.text_tried);
	symbols_begin(&half, 1, 100000000); /* the first of many reports is near */
	assert_true(symbols_read_ahead(&half) <= host_monotonic_ns());
	assert_int_equal(!symbols_text(&half), !symbols_text(&asked));
	assert_int_equal(half.err, asked.err);
	assert_int_equal(ahead.err, asked.err);
	assert_int_equal(place_of(ahead.text), place_of(asked.text));
	assert_int_equal(place_of(half.text), place_of(asked.text));
	symbols_free(&ahead);
	symbols_free(&half);
	symbols_free(&asked);
}

static void they_are_read_anew_for_a_new_name_alone(void **state)
{
	const uint64_t known = 0xffffffff81000100, unknown = 0x1000;
	struct symbols symbols = {.ahead = reader_of(kernel, KSYMS_TEXT)};
	struct ksyms *first = symbols_text(&symbols);

	(void)state;
	assert_non_null(first);
	assert_ptr_equal(symbols_text_of(&symbols, &unknown, 1), first);
	symbols.stale = true;
	assert_ptr_equal(symbols_text_of(&symbols, &known, 1), first);
	assert_true(symbols.stale);
	symbols_text_of(&symbols, &unknown, 1);
	assert_false(symbols.stale); /* and first is gone: this is the kernel's own by now */
	assert_int_not_equal(ksyms_count(symbols.text), 2);
	symbols_free(&symbols);
}

static uint64_t hash_of(const char *text)
{
	return kernel_code_modules(text, strlen(text));
}

static void a_module_counts_and_not_its_users(void **state)
{
	const uint64_t one = hash_of("ext4 737280 1 - Live 0xffffffffc0000000\n");

	(void)state;
	assert_int_equal(hash_of("ext4 737280 22 jbd2,mbcache, Live 0xffffffffc0000000\n"), one);
	assert_int_not_equal(hash_of("ext4 737280 1 - Live 0xffffffffc0001000\n"), one);
	assert_int_not_equal(hash_of("ext3 737280 1 - Live 0xffffffffc0000000\n"), one);
	assert_int_not_equal(hash_of("ext4 737280 1 - Live 0xffffffffc0000000\n"
				     "jbd2 4096 1 ext4, Live 0xffffffffc0100000\n"),
			     one);
	assert_int_not_equal(hash_of(""), one);
}

static void what_was_read_stays_while_nothing_is_loaded(void **state)
{
	struct symbols symbols = {.ahead = reader_of(kernel, KSYMS_TEXT)};
	struct ksyms *first = symbols_text(&symbols);

	(void)state;
	kernel_code_look(&symbols.code);
	symbols_begin_report(&symbols);
	assert_ptr_equal(symbols.text, first);
	symbols.code.modules++;
	symbols_begin_report(&symbols);
	assert_null(symbols.text);
	assert_false(symbols.text_tried);
	symbols_free(&symbols);
}

/* Whether the kernel tells it, all are read, or all is hidden. */
static void an_address_is_what_kallsyms_says(void **state)
{
	struct symbols symbols = {};
	uint64_t address, lo = 0, hi;
	bool told = !ksyms_ask("vfs_read", &address);

	(void)state;
	assert_int_equal(symbols_address(&symbols, "no_such_function", KSYMS_TEXT), 0);
	address = symbols_address(&symbols, "vfs_read", KSYMS_TEXT);
	assert_int_equal(symbols.text_tried, !told);
	ksyms_range(symbols_text(&symbols), "vfs_read", &lo, &hi);
	assert_int_equal(address, lo);
	symbols_free(&symbols);
}

static void no_name_is_too_long_to_be_asked_for(void **state)
{
	char name[1024];
	uint64_t address;

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(ksyms_ask(name, &address), -ENAMETOOLONG);
	name[128] = '\0';
	assert_int_equal(ksyms_ask(name, &address), -ENAMETOOLONG);
	name[127] = '\0';
	assert_int_not_equal(ksyms_ask(name, &address), 0);
	assert_int_not_equal(ksyms_ask(name, &address), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_table_has_its_own),
	    cmocka_unit_test(a_kernel_that_lists_no_data_has_its_functions),
	    cmocka_unit_test(what_cannot_be_read_leaves_no_table),
	    cmocka_unit_test(what_was_begun_is_read_to_its_end),
	    cmocka_unit_test(a_line_that_is_not_ended_counts),
	    cmocka_unit_test(symbols_read_ahead_are_those_that_are_asked_for),
	    cmocka_unit_test(they_are_read_anew_for_a_new_name_alone),
	    cmocka_unit_test(a_module_counts_and_not_its_users),
	    cmocka_unit_test(what_was_read_stays_while_nothing_is_loaded),
	    cmocka_unit_test(an_address_is_what_kallsyms_says),
	    cmocka_unit_test(no_name_is_too_long_to_be_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
