/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Slots as they are read, and how many are planned. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/host.h"
#include "core/slots.h"

#include <cmocka.h>

struct row {
	struct slot_head head;
	uint64_t key, value;
};

static struct slots_view view_of(const void *mem, size_t slot_size, uint32_t n)
{
	return (struct slots_view){
	    .fd = -1, .mem = mem, .slot_size = (uint32_t)slot_size, .n = n, .end = n};
}

static void free_slots_are_left_out_and_equal_keys_stay_apart(void **state)
{
	const struct row slots[] = {{{0}, 9, 9}, {{2}, 1, 10}, {{0}, 0, 0}, {{4}, 1, 20}};
	struct slots_view view = view_of(slots, sizeof(slots[0]), 4);
	struct rowset rows;

	(void)state;
	assert_int_equal(slots_read(&view, &rows, 8, 8), 0);
	assert_int_equal(rows.n, 2);
	assert_int_equal(*(const uint64_t *)rowset_key(&rows, 0), 1);
	assert_int_equal(*(const uint64_t *)rowset_value(&rows, 0), 10);
	assert_int_equal(*(const uint64_t *)rowset_value(&rows, 1), 20);
	rowset_free(&rows);
}

static void a_row_whose_cpu_stays_away_is_read_in_the_end(void **state)
{
	const struct row slots[] = {{{3}, 7, 70}};
	struct slots_view view = view_of(slots, sizeof(slots[0]), 1);
	struct rowset rows;

	(void)state;
	assert_int_equal(slots_read(&view, &rows, 8, 8), 0);
	assert_int_equal(rows.n, 1);
	rowset_free(&rows);
}

static void a_slot_without_an_id_has_no_stack(void **state)
{
	/* id, n, two frames: cut to a depth of two */
	const uint64_t slots[][4] = {{0, 0, 0, 0}, {5, 2, 100, 200}, {6, 1, 300, 0}};
	struct slots_view view = view_of(slots, sizeof(slots[0]), 3);
	const struct slot_stack *stack;

	(void)state;
	assert_int_equal(slots_stack(&view, 0, &stack), 0);
	assert_null(stack);
	assert_int_equal(slots_stack(&view, 1, &stack), 0);
	assert_ptr_equal(stack, slots[1]);
	assert_int_equal(slots_stack(&view, 2, &stack), 0);
	assert_int_equal(stack->frames.ip[0], 300);
}

/* A file in the map's place, whose slots do not end where pages do. */
static void all_slots_are_read_by_pieces(void **state)
{
	enum { WORDS = 131, N = 3000 };
	uint64_t slot[WORDS] = {2};
	struct slots_view view = {
	    .fd = memfd_create("slots", 0), .slot_size = sizeof(slot), .n = N};
	struct rowset rows;
	size_t most = 0;

	(void)state;
	assert_true(view.fd >= 0);
	for (uint64_t i = 0; i < N; i++) {
		slot[1] = slot[2] = slot[WORDS - 1] = i; /* the head is two words */
		assert_int_equal(write(view.fd, slot, sizeof(slot)), sizeof(slot));
	}
	assert_int_equal(slots_read(&view, &rows, 8, (WORDS - 3) * 8), 0);
	assert_int_equal(rows.n, N);
	for (uint64_t i = 0; i < N; i++) {
		const struct slot_stack *stack;

		assert_int_equal(*(const uint64_t *)rowset_key(&rows, i), i);
		assert_int_equal(((const uint64_t *)rowset_value(&rows, i))[WORDS - 4], i);
		/* there and back, and not in order */
		assert_int_equal(slots_stack(&view, (uint32_t)(i * 1009 % N), &stack), 0);
		assert_int_equal(stack->frames.n, i * 1009 % N);
		most = view.len > most ? view.len : most;
	}
	assert_true(most < (size_t)N * sizeof(slot) / 2);
	rowset_free(&rows);
	slots_unmap(&view);
	slots_unmap(&view);
	close(view.fd);
}

static void a_piece_that_cannot_be_mapped_is_an_error(void **state)
{
	struct slots_view view = {.fd = -1, .slot_size = 8, .n = 1};
	const struct slot_stack *stack;
	struct rowset rows;

	(void)state;
	assert_int_equal(slots_stack(&view, 0, &stack), -EBADF);
	assert_int_equal(slots_read(&view, &rows, 0, 0), -EBADF);
	rowset_free(&rows);
}

static void the_budget_is_shared_by_the_cpus(void **state)
{
	const struct tool tool = {.layout = {.key_size = 64, .value_size = 400}};
	struct opts opts = {.tool = &tool};
	struct plan plan = {.opts = &opts, .max_stacks = 1000, .filter = {.depth = 100}};
	struct slots slots;
	uint64_t bytes;

	(void)state;
	slots_plan(&plan, &slots);
	assert_int_equal(slots.cpus, host_cpus());
	bytes = (uint64_t)slots.cpus * slots.rows * (8 + 64 + 400);
	assert_true(bytes <= 16 << 20 || slots.rows == 64);
	bytes = (uint64_t)slots.cpus * slots.stacks * (16 + 8 * 100);
	assert_true(bytes <= 16 << 20 || slots.stacks == 64);
	opts.max_rows = 3;
	opts.max_stacks = plan.max_stacks = 5;
	slots_plan(&plan, &slots);
	assert_int_equal(slots.rows, 3);
	assert_int_equal(slots.stacks, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(free_slots_are_left_out_and_equal_keys_stay_apart),
	    cmocka_unit_test(a_row_whose_cpu_stays_away_is_read_in_the_end),
	    cmocka_unit_test(a_slot_without_an_id_has_no_stack),
	    cmocka_unit_test(all_slots_are_read_by_pieces),
	    cmocka_unit_test(a_piece_that_cannot_be_mapped_is_an_error),
	    cmocka_unit_test(the_budget_is_shared_by_the_cpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
