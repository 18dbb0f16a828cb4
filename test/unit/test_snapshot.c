/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/snapshot.h"

/* Last: its macro fail() hides ours. */
#include <cmocka.h>

enum { COMM, TGID, STACK, ORDER, COUNT, MAX, BYTES, AVG, NET, HIST, EXTRA, N };

static const struct column columns[] = {
    [COMM] = {.name = "comm", .kind = KIND_COMM, .key = true},
    [TGID] = {.name = "tgid", .kind = KIND_U32, .key = true},
    [STACK] = {.name = "kstack", .kind = KIND_KSTACK, .key = true},
    [ORDER] = {.name = "order", .kind = KIND_U32, .key = true, .optional = true},
    [COUNT] = {.name = "count", .kind = KIND_COUNT},
    [MAX] = {.name = "max_ns", .kind = KIND_NS},
    [BYTES] = {.name = "bytes", .kind = KIND_BYTES},
    [AVG] = {.name = "avg_bytes", .kind = KIND_RATIO_BYTES, .num = "bytes", .den = "count"},
    [NET] = {.name = "net_bytes", .kind = KIND_DIFF_BYTES},
    [HIST] = {.name = "hist_ns", .kind = KIND_HIST_NS},
    [EXTRA] = {.name = "extra", .kind = KIND_COUNT, .optional = true},
    [N] = {0},
};

static const struct tool tool = {.name = "fake", .columns = columns, .sort = "count"};

struct values {
	uint64_t count, max, bytes;
	int64_t net;
	unsigned slot;
};

static const struct stack *stack(struct snapshot *s, const char *leaf, bool cut)
{
	const char *const frames[] = {leaf, "do_syscall_64"};
	const struct stack *made = snapshot_stack(s, frames, leaf ? 2 : 0, cut);

	assert_non_null(made);
	return made;
}

static void add(struct snapshot *s, const char *comm, uint32_t tgid, const char *leaf,
		struct values v)
{
	uint64_t *hist = snapshot_hist(s);
	const union cell cells[] = {
	    {.s = snapshot_text(s, comm, strlen(comm))},
	    {.u = tgid},
	    {.stack = stack(s, leaf, false)},
	    {.u = v.count},
	    {.u = v.max},
	    {.u = v.bytes},
	    {.u = 0},
	    {.i = v.net},
	    {.hist = hist},
	};

	assert_non_null(hist);
	hist[v.slot] = v.count;
	assert_int_equal(snapshot_add(s, cells), 0);
}

static int begin(void **state)
{
	static struct snapshot s;

	*state = &s;
	return snapshot_init(&s, &tool, NULL, 0, NULL, 0);
}

static int end(void **state)
{
	snapshot_free(*state);
	return 0;
}

static const union cell *cell(const struct snapshot *s, size_t row, const char *column)
{
	int at = snapshot_column(s, column);

	assert_true(at >= 0);
	assert_true(row < s->n_rows);
	return &snapshot_row(s, row)[at];
}

static void expect_comms(struct snapshot *s, const struct column *sort, const char *wanted)
{
	char got[64] = "";

	snapshot_finish(s, sort);
	for (size_t i = 0; i < s->n_rows; i++)
		strncat(got, cell(s, i, "comm")->s, sizeof(got) - strlen(got) - 1);
	assert_string_equal(got, wanted);
}

static void free_takes_a_snapshot_in_any_state(void **state)
{
	struct snapshot s;

	(void)state;
	memset(&s, 0, sizeof(s));
	snapshot_free(&s);
	assert_int_equal(snapshot_init(&s, &tool, NULL, 0, NULL, 0), 0);
	snapshot_free(&s);
	snapshot_free(&s);
	assert_null(s.store);
	assert_null(s.cells);
}

static void shown_are_the_columns_that_are_not_optional(void **state)
{
	struct snapshot *s = *state;

	assert_int_equal(s->n_keys, 3);
	assert_int_equal(s->n_columns, 9);
	assert_int_equal(snapshot_column(s, "order"), -1);
	assert_int_equal(snapshot_column(s, "extra"), -1);
	assert_int_equal(snapshot_column(s, "comm"), 0);
	assert_int_equal(snapshot_column(s, "hist_ns"), 8);
}

static void a_group_replaces_the_keys_in_the_tools_order(void **state)
{
	const struct column *const group[] = {&columns[ORDER], &columns[COMM]};
	const struct column *const optional[] = {&columns[EXTRA]};
	struct snapshot s;

	(void)state;
	assert_int_equal(snapshot_init(&s, &tool, group, 2, optional, 1), 0);
	assert_int_equal(s.n_keys, 2);
	assert_ptr_equal(s.column[0], &columns[COMM]);
	assert_ptr_equal(s.column[1], &columns[ORDER]);
	assert_ptr_equal(s.column[s.n_columns - 1], &columns[EXTRA]);
	snapshot_free(&s);
}

static void optional_keys_that_are_asked_for_join_the_others(void **state)
{
	const struct column *const optional[] = {&columns[ORDER]};
	struct snapshot s;

	(void)state;
	assert_int_equal(snapshot_init(&s, &tool, NULL, 0, optional, 1), 0);
	assert_int_equal(s.n_keys, 4);
	assert_ptr_equal(s.column[3], &columns[ORDER]);
	snapshot_free(&s);
}

static void equal_strings_are_one_and_end_at_nul_or_len(void **state)
{
	struct snapshot *s = *state;
	const char raw[] = {'f', 'i', 'o', '\0', 'x', 'y'};
	const char *fio = snapshot_text(s, raw, sizeof(raw));

	assert_string_equal(fio, "fio");
	assert_ptr_equal(snapshot_text(s, "fiona", 3), fio);
	assert_ptr_not_equal(snapshot_text(s, "fi", 2), fio);
	assert_string_equal(snapshot_text(s, "fiona", 5), "fiona");
	assert_string_equal(snapshot_text(s, "", 0), "");
}

static void equal_stacks_are_one(void **state)
{
	struct snapshot *s = *state;
	const char *const other[] = {"do_syscall_64", "io_schedule"};
	const struct stack *a = stack(s, "io_schedule", false);

	assert_ptr_equal(stack(s, "io_schedule", false), a);
	assert_ptr_not_equal(stack(s, "io_schedule", true), a);
	assert_ptr_not_equal(stack(s, "schedule", false), a);
	assert_ptr_not_equal(snapshot_stack(s, other, 2, false), a);
	assert_int_equal(stack(s, NULL, false)->n, 0);
	assert_ptr_equal(stack(s, NULL, false), stack(s, NULL, false));
	assert_string_equal(a->frame[0], "io_schedule");
	assert_int_equal(a->n, 2);
	assert_ptr_equal(snapshot_stack_interned(s, a->frame, 2, false), a);
	assert_ptr_equal(snapshot_stack_interned(s, a->frame, 1, true),
			 snapshot_stack(s, a->frame, 1, true));
	assert_ptr_equal(snapshot_stack_interned(s, NULL, 0, false), stack(s, NULL, false));
}

static void a_stack_longer_than_any_chunk_is_kept(void **state)
{
	struct snapshot *s = *state;
	static const char *frames[20000];
	const struct stack *made;

	for (unsigned i = 0; i < 20000; i++)
		frames[i] = i % 2 ? "odd" : "even";
	made = snapshot_stack(s, frames, 20000, true);
	assert_non_null(made);
	assert_string_equal(made->frame[19999], "odd");
	assert_string_equal(snapshot_text(s, "after", 5), "after");
}

static void rows_of_the_same_keys_merge(void **state)
{
	struct snapshot *s = *state;
	const uint64_t *hist;

	add(s, "fio", 1, "a", (struct values){2, 50, 100, -5, 3});
	add(s, "fio", 1, "a", (struct values){3, 40, 11, -6, 3});
	add(s, "fio", 1, "a", (struct values){1, 90, 0, 1, 63});
	assert_int_equal(s->n_rows, 1);
	assert_int_equal(cell(s, 0, "count")->u, 6);
	assert_int_equal(cell(s, 0, "max_ns")->u, 90);
	assert_int_equal(cell(s, 0, "bytes")->u, 111);
	assert_int_equal(cell(s, 0, "net_bytes")->i, -10);
	hist = cell(s, 0, "hist_ns")->hist;
	assert_int_equal(hist[3], 5);
	assert_int_equal(hist[63], 1);
}

static void rows_that_differ_in_one_key_stay_apart(void **state)
{
	struct snapshot *s = *state;
	const struct values one = {.count = 1};

	add(s, "fio", 1, "a", one);
	add(s, "fi", 1, "a", one);
	add(s, "fio", 2, "a", one);
	add(s, "fio", 1, "b", one);
	add(s, "fio", 1, NULL, one);
	assert_int_equal(s->n_rows, 5);
}

static void a_ratio_is_rounded_and_zero_without_divisor(void **state)
{
	struct snapshot *s = *state;

	add(s, "a", 1, "a", (struct values){.count = 4, .bytes = 10});
	add(s, "b", 1, "a", (struct values){.count = 3, .bytes = 10});
	add(s, "c", 1, "a", (struct values){.count = 0, .bytes = 10});
	add(s, "d", 1, "a", (struct values){.count = UINT64_MAX, .bytes = UINT64_MAX});
	add(s, "e", 1, "a", (struct values){.count = 1, .bytes = UINT64_MAX});
	snapshot_finish(s, NULL);
	assert_int_equal(cell(s, 0, "avg_bytes")->u, 3);
	assert_int_equal(cell(s, 1, "avg_bytes")->u, 3);
	assert_int_equal(cell(s, 2, "avg_bytes")->u, 0);
	assert_int_equal(cell(s, 3, "avg_bytes")->u, 1);
	assert_true(cell(s, 4, "avg_bytes")->u == UINT64_MAX);
}

static void numbers_sort_descending_and_text_ascending(void **state)
{
	struct snapshot *s = *state;

	add(s, "a", 7, "z", (struct values){.count = 1, .net = -1, .slot = 1});
	add(s, "b", 8, "y", (struct values){.count = UINT64_MAX, .net = -2, .slot = 1});
	add(s, "c", 9, "x", (struct values){.count = 5, .net = 3, .slot = 1});
	expect_comms(s, NULL, "abc");
	expect_comms(s, &columns[COUNT], "bca");
	expect_comms(s, &columns[NET], "cab");
	expect_comms(s, &columns[COMM], "abc");
	expect_comms(s, &columns[TGID], "cba");
	expect_comms(s, &columns[STACK], "cba");
	expect_comms(s, &columns[HIST], "bca");
}

static void ties_are_broken_by_the_keys_whatever_the_order_of_adding(void **state)
{
	struct snapshot *s = *state;
	const struct values one = {.count = 1};

	add(s, "b", 1, "b", one);
	add(s, "c", 1, NULL, one);
	add(s, "b", 1, "a", one);
	add(s, "a", 2, "a", one);
	add(s, "a", 1, "z", one);
	expect_comms(s, &columns[COUNT], "aabbc");
	assert_int_equal(cell(s, 0, "tgid")->u, 1);
	assert_string_equal(cell(s, 2, "kstack")->stack->frame[0], "a");
	/* A sort column that -g took away leaves the keys. */
	expect_comms(s, &columns[EXTRA], "aabbc");
}

static void rows_keep_their_cells_wherever_they_are_moved(void **state)
{
	struct snapshot *s = *state;
	uint64_t count = 1;

	for (uint32_t i = 0; i < 1000; i++, count = count * 389 % 1009)
		add(s, "a", (uint32_t)count * 3, "a", (struct values){.count = count, .max = i});
	assert_int_equal(snapshot_finish(s, &columns[COUNT]), 0);
	for (size_t i = 0; i < s->n_rows; i++) {
		count = cell(s, i, "count")->u;
		assert_int_equal(cell(s, i, "tgid")->u, count * 3);
		if (i)
			assert_true(cell(s, i - 1, "count")->u > count);
	}
}

static void top_counts_what_it_hides(void **state)
{
	struct snapshot *s = *state;

	for (uint32_t i = 0; i < 5; i++)
		add(s, "a", i, "a", (struct values){.count = i});
	snapshot_finish(s, &columns[COUNT]);
	snapshot_top(s, 9);
	assert_int_equal(s->n_hidden, 0);
	snapshot_top(s, 3);
	assert_int_equal(s->n_rows, 3);
	assert_int_equal(s->n_hidden, 2);
	assert_int_equal(cell(s, 2, "count")->u, 2);
	snapshot_top(s, 0);
	assert_int_equal(s->n_rows, 0);
	assert_int_equal(s->n_hidden, 5);
}

static void a_note_is_said_once_and_there_is_an_end(void **state)
{
	struct snapshot *s = *state;

	snapshot_note(s, "1 of %d is seen", 10);
	snapshot_note(s, "1 of 10 is seen");
	assert_int_equal(s->n_notes, 1);
	assert_string_equal(s->note[0], "1 of 10 is seen");
	for (int i = 0; i < 2 * MAX_NOTES; i++)
		snapshot_note(s, "note %d", i);
	assert_int_equal(s->n_notes, MAX_NOTES);
}

static void a_hundred_thousand_rows_are_found_again(void **state)
{
	struct snapshot *s = *state;
	const uint32_t many = 100000;
	union cell cells[9] = {0};

	cells[2].stack = stack(s, NULL, false);
	cells[8].hist = snapshot_hist(s);
	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < many; i++) {
			char comm[24];

			snprintf(comm, sizeof(comm), "worker/%u", i % 1000);
			cells[0].s = snapshot_text(s, comm, sizeof(comm));
			cells[1].u = i;
			cells[3].u = i;
			assert_int_equal(snapshot_add(s, cells), 0);
		}
	}
	assert_int_equal(s->n_rows, many);
	snapshot_finish(s, &columns[COUNT]);
	assert_int_equal(cell(s, 0, "count")->u, 2 * (many - 1));
	assert_string_equal(cell(s, 0, "comm")->s, "worker/999");
	assert_int_equal(cell(s, many - 1, "count")->u, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(free_takes_a_snapshot_in_any_state),
	    cmocka_unit_test(a_group_replaces_the_keys_in_the_tools_order),
	    cmocka_unit_test(optional_keys_that_are_asked_for_join_the_others),
#define WITH_SNAPSHOT(f) cmocka_unit_test_setup_teardown(f, begin, end)
	    WITH_SNAPSHOT(shown_are_the_columns_that_are_not_optional),
	    WITH_SNAPSHOT(equal_strings_are_one_and_end_at_nul_or_len),
	    WITH_SNAPSHOT(equal_stacks_are_one),
	    WITH_SNAPSHOT(a_stack_longer_than_any_chunk_is_kept),
	    WITH_SNAPSHOT(rows_of_the_same_keys_merge),
	    WITH_SNAPSHOT(rows_that_differ_in_one_key_stay_apart),
	    WITH_SNAPSHOT(a_ratio_is_rounded_and_zero_without_divisor),
	    WITH_SNAPSHOT(numbers_sort_descending_and_text_ascending),
	    WITH_SNAPSHOT(ties_are_broken_by_the_keys_whatever_the_order_of_adding),
	    WITH_SNAPSHOT(rows_keep_their_cells_wherever_they_are_moved),
	    WITH_SNAPSHOT(top_counts_what_it_hides),
	    WITH_SNAPSHOT(a_note_is_said_once_and_there_is_an_end),
	    WITH_SNAPSHOT(a_hundred_thousand_rows_are_found_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
