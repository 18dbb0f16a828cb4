/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memleak of processes: where functions are hooked, what is left of mappings, which options go
 * together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Before cmocka.h, which has a macro of the name fail. */
#include "cmd/heap_cuts.h"
#include "cmd/memleak.h"
#include "core/heap.h"
#include "core/heap_place.h"
#include "core/loader.h"
#include "core/opts.h"

#include <cmocka.h>

static void hook_stands_at_what_the_kernel_emulates(void **state)
{
	static const struct {
		const char *what;
		unsigned char code[16];
		size_t at;
	} row[] = {
	    {"push r12", {0x41, 0x54}, 0},
	    {"endbr64; push rbp", {0xf3, 0x0f, 0x1e, 0xfa, 0x55}, 4},
	    {"test rdi, rdi; je near; push", {0x48, 0x85, 0xff, 0x0f, 0x84, 1, 2, 3, 4, 0x55}, 3},
	    {"cmp rdi, 4096; ja near", {0x48, 0x81, 0xff, 0, 0x10, 0, 0, 0x0f, 0x87}, 7},
	    {"mov rax, [rip]; test rax, rax; jne",
	     {0x48, 0x8b, 0x05, 1, 2, 3, 4, 0x48, 0x85, 0xc0, 0x75, 0x75},
	     10},
	    {"mov rcx, rdi; push: other than rax may be an argument", {0x48, 0x89, 0xf9, 0x55}, 0},
	    {"mov [rax], rdi: memory", {0x48, 0x89, 0x38, 0x55}, 0},
	    {"sub rsp, 8; push: the stack", {0x48, 0x83, 0xec, 8, 0x55}, 0},
	    {"test rdi, rdi; ret", {0x48, 0x85, 0xff, 0xc3}, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		size_t at = heap_place(row[i].code, sizeof(row[i].code));

#if defined(__x86_64__)
		if (at != row[i].at)
			fail_msg("%s: %zu, not %zu", row[i].what, at, row[i].at);
#else
		assert_int_equal(at, 0);
#endif
		for (size_t len = 0; len < sizeof(row[i].code); len++)
			assert_true(heap_place(row[i].code, len) <= len);
	}
}

static void add_cut(struct rowset *rows, uint32_t tgid, uint64_t addr, uint64_t bytes, uint64_t ts)
{
	struct heap_key key = {.addr = addr, .tgid = tgid, .unused = (uint32_t)rows->n};
	struct heap_cut cut = {.bytes = bytes, .ts_ns = ts};

	assert_int_equal(rowset_add(rows, &key, &cut), 0);
}

static uint64_t left_of(struct cuts *cuts, uint32_t tgid, uint64_t addr, uint64_t bytes,
			uint64_t ts)
{
	struct heap_key key = {.addr = addr, .tgid = tgid};
	struct heap_value value = {.bytes = bytes, .ts_ns = ts, .class = LEAK_MMAP};

	return cuts_left(cuts, &key, &value);
}

static void what_is_left_of_a_mapping(void **state)
{
	struct rowset rows = {.key_size = sizeof(struct heap_key),
			      .value_size = sizeof(struct heap_cut)};
	struct cuts cuts = {0};

	(void)state;
	add_cut(&rows, 7, 0x5000, 0x1000, 20);
	add_cut(&rows, 7, 0x1000, 0x1000, 10);
	add_cut(&rows, 7, 0x4800, 0x1000, 30); /* in part the same */
	add_cut(&rows, 8, 0x0000, UINT64_MAX, 30);
	assert_int_equal(cuts_make(&cuts, &rows), 0);
	assert_int_equal(left_of(&cuts, 7, 0x1000, 0x8000, 5), 0x8000 - 0x1000 - 0x1800);
	assert_int_equal(left_of(&cuts, 7, 0x1000, 0x8000, 15), 0x8000 - 0x1800);
	assert_int_equal(left_of(&cuts, 7, 0x1000, 0x8000, 30), 0x8000); /* mapped after them */
	assert_int_equal(left_of(&cuts, 7, 0x1800, 0x800, 5), 0);
	assert_int_equal(left_of(&cuts, 7, 0x8000, 0x1000, 5), 0x1000);
	assert_int_equal(left_of(&cuts, 9, 0x1000, 0x8000, 5), 0x8000);
	assert_false(cuts.at[3].used);
	assert_int_equal(left_of(&cuts, 8, 0x1000, 0x8000, 5), 0);
	assert_false(cuts.at[3].used); /* nothing is left that it is needed for */
	for (size_t i = 0; i < 3; i++)
		assert_true(cuts.at[i].used);
	cuts_free(&cuts);
	rowset_free(&rows);
}

/* Bits of opts.parts; -1: refused. */
static int parts_of(const char *const *words)
{
	char *argv[16] = {(char *)"memleak"};
	struct opts *opts = calloc(1, sizeof(*opts));
	int argc = 1, parts;

	assert_non_null(opts);
	while (*words)
		argv[argc++] = (char *)*words++;
	parts = opts_parse(tool_find("memleak"), argc, argv, opts) ? -1 : opts->parts;
	free(opts);
	return parts;
}

#define PARTS_OF(...) parts_of((const char *const[]){__VA_ARGS__, NULL})

static void whose_memory_is_meant(void **state)
{
	const int kernel = PART(LEAK_MALLOC) - 1, user = PART(LEAK_MALLOC),
		  mapped = PART(LEAK_MMAP);

	(void)state;
	assert_int_equal(PARTS_OF("-v"), kernel);
	assert_int_equal(PARTS_OF("-t", "1"), kernel);
	assert_int_equal(PARTS_OF("-p", "1"), user);
	assert_int_equal(PARTS_OF("-G", "/a"), user);
	assert_int_equal(PARTS_OF("--", "true"), user);
	assert_int_equal(PARTS_OF("--kernel", "--", "true"), kernel);
	assert_int_equal(PARTS_OF("--kernel", "--class", "slab", "-p", "1"), PART(LEAK_SLAB));
	assert_int_equal(PARTS_OF("--class", "slab", "--kernel", "-p", "1"), PART(LEAK_SLAB));
	assert_int_equal(PARTS_OF("--class", "slab,pages", "-p", "1"),
			 PART(LEAK_SLAB) | PART(LEAK_PAGES));
	assert_int_equal(PARTS_OF("--mmap", "-p", "1"), user | mapped);
	assert_int_equal(PARTS_OF("--class", "mmap", "-p", "1"), mapped);
	assert_int_equal(PARTS_OF("--class", "malloc"), -1);
	assert_int_equal(PARTS_OF("--mmap"), -1);
	assert_int_equal(PARTS_OF("--kernel", "--mmap", "-p", "1"), -1);
	assert_int_equal(PARTS_OF("--class", "slab,malloc", "-p", "1"), -1);
	assert_int_equal(PARTS_OF("-p", "1", "-g", "cache"), -1);
	assert_int_equal(PARTS_OF("-p", "1", "-K"), -1);
	assert_int_equal(PARTS_OF("-p", "1", "--user-pages"), -1);
	assert_int_equal(PARTS_OF("-O", "c"), -1);
	assert_int_equal(PARTS_OF("-p", "1", "--sample", "2T"), -1);
	assert_int_equal(PARTS_OF("--sample", "2M"), -1);
}

static void user_stacks_are_the_key_of_user_memory(void **state)
{
	char *argv[] = {(char *)"memleak", (char *)"-p", (char *)"1", NULL};
	struct opts *opts = calloc(1, sizeof(*opts));

	(void)state;
	assert_non_null(opts);
	assert_int_equal(opts_parse(tool_find("memleak"), 3, argv, opts), OK);
	assert_true(opts_shows(opts, tool_column(opts->tool, "ustack")));
	assert_false(opts_shows(opts, tool_column(opts->tool, "kstack")));
	free(opts);
}

static void files_that_are_no_allocator(void **state)
{
	static const char *const row[] = {"/dev/null", "/etc/passwd", "/nothing", "/proc/self/mem"};
	struct targets targets = {0};
	bool allocates = false;

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		assert_true(heap_take_file(&targets, row[i], false, &allocates) < 0);
	assert_false(allocates);
	assert_int_equal(targets.n, 0);
	targets_free(&targets);
}

struct listed {
	unsigned n, libc;
};

static int count_file(void *arg, const char *path)
{
	struct listed *listed = arg;

	listed->n++;
	listed->libc += strstr(path, "/libc.") != NULL;
	return 0;
}

static void loader_tells_the_files_of_a_command(void **state)
{
	struct listed listed = {0};

	(void)state;
	assert_true(loader_files("no-such-program", count_file, &listed) < 0);
	assert_int_equal(listed.n, 0);
	assert_int_equal(loader_files("sh", count_file, &listed), 0);
	assert_true(listed.n >= 2 && listed.libc >= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hook_stands_at_what_the_kernel_emulates),
	    cmocka_unit_test(what_is_left_of_a_mapping),
	    cmocka_unit_test(whose_memory_is_meant),
	    cmocka_unit_test(user_stacks_are_the_key_of_user_memory),
	    cmocka_unit_test(files_that_are_no_allocator),
	    cmocka_unit_test(loader_tells_the_files_of_a_command),
	};

	return cmocka_run_group_tests_name("heap", tests, NULL, NULL);
}
