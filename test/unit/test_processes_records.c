/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "processes_world.h"

static bool knows(struct world *w, uint32_t tgid)
{
	return processes_images(w->ps, tgid) > 0;
}

#define A 1000U /* some process numbers */
#define B 1001U
#define C 1002U

static void map_at(struct world *w, uint32_t tgid, uint64_t start, uint64_t end, const char *path,
		   uint64_t pgoff)
{
	struct user_file_seen seen = {
	    .inode = 7, .path = path, .tgid = tgid, .start = start, .end = end};

	processes_map(w->ps, &seen, pgoff);
}

static void map(struct world *w, uint32_t tgid, uint64_t start, const char *path)
{
	map_at(w, tgid, start, start + 0x1000, path, 0);
}

static void an_exec_begins_anew_and_keeps_what_was_before(void **state)
{
	struct world *w = *state;

	processes_exec(w->ps, NOBODY);
	map(w, NOBODY, 0x1000, "/old");
	map(w, NOBODY, 0x5000, "/old2");
	processes_exec(w->ps, NOBODY);
	assert_int_equal(processes_images(w->ps, NOBODY), 2);
	map(w, NOBODY, 0x1000, "/new");
	assert_int_equal(processes_images(w->ps, NOBODY), 2);
	assert_at(w, NOBODY, 0x1004, "new", 4);
	assert_at(w, NOBODY, 0x5004, "old2", 4);
	assert_at(w, NOBODY, 0x3000, NULL, 0);
}

static void only_the_last_images_are_kept(void **state)
{
	struct world *w = *state;

	for (uint64_t i = 0; i <= PROCESS_IMAGES; i++) {
		processes_exec(w->ps, NOBODY);
		map(w, NOBODY, i << 12, "/x");
	}
	assert_at(w, NOBODY, 0, NULL, 0);
	for (uint64_t i = 1; i <= PROCESS_IMAGES; i++)
		assert_at(w, NOBODY, i << 12, "x", 0);
}

static void an_exec_before_anything_is_mapped_takes_no_image(void **state)
{
	struct world *w = *state;

	processes_exec(w->ps, NOBODY);
	map(w, NOBODY, 0x1000, "/x");
	for (int i = 0; i < 2 * PROCESS_IMAGES; i++)
		processes_exec(w->ps, NOBODY);
	assert_at(w, NOBODY, 0x1000, "x", 0);
}

static void a_fork_has_its_parents_mappings_and_goes_its_own_way(void **state)
{
	struct world *w = *state;

	processes_exec(w->ps, A);
	map(w, A, 0x1000, "/a");
	processes_fork(w->ps, B, A);
	assert_at(w, B, 0x1000, "a", 0);
	map(w, B, 0x2000, "/b");
	map(w, A, 0x3000, "/late");
	assert_at(w, A, 0x2000, NULL, 0);
	assert_at(w, B, 0x3000, NULL, 0);
	assert_at(w, B, 0x2000, "b", 0);
	processes_exec(w->ps, A);
	processes_exit(w->ps, A);
	processes_exit(w->ps, A);
	processes_fork(w->ps, C, B);
	assert_at(w, C, 0x1000, "a", 0);
	assert_at(w, C, 0x2000, "b", 0);
}

static void a_number_that_is_used_again_begins_anew(void **state)
{
	struct world *w = *state;

	processes_exec(w->ps, A);
	map(w, A, 0x1000, "/parent");
	processes_exec(w->ps, B);
	map(w, B, 0x1000, "/first");
	map(w, B, 0x5000, "/first2");
	processes_exit(w->ps, B);
	processes_fork(w->ps, B, A);
	assert_at(w, B, 0x1000, "parent", 0);
	assert_at(w, B, 0x5000, "first2", 0); /* its stacks may be in the report as well */
}

static void a_number_that_is_used_again_is_not_among_the_exited(void **state)
{
	struct world *w = *state;

	processes_exec(w->ps, A);
	map(w, A, 0x1000, "/a");
	processes_exec(w->ps, B);
	processes_exit(w->ps, B);
	processes_fork(w->ps, B, A);
	for (int i = 0; i < 40; i++)
		processes_refresh(w->ps);
	assert_true(knows(w, B));
}

static void what_exited_is_forgotten_when_no_report_asks(void **state)
{
	struct world *w = *state;

	processes_exec(w->ps, A);
	map(w, A, 0x1000, "/a");
	processes_exec(w->ps, B);
	map(w, B, 0x1000, "/b");
	processes_exit(w->ps, B);
	for (int i = 0; i < 17; i++)
		processes_refresh(w->ps);
	assert_true(knows(w, A));
	assert_false(knows(w, B));
	assert_int_equal(processes_lost(w->ps), 0);
}

static void the_newest_mapping_wins(void **state)
{
	struct world *w = *state;

	processes_exec(w->ps, NOBODY);
	map_at(w, NOBODY, 0x10000, 0x20000, "/old", 0x5000);
	map_at(w, NOBODY, 0x14000, 0x16000, "/new", 0);
	assert_at(w, NOBODY, 0x10000, "old", 0x5000);
	assert_at(w, NOBODY, 0x13fff, "old", 0x8fff);
	assert_at(w, NOBODY, 0x14000, "new", 0);
	assert_at(w, NOBODY, 0x15fff, "new", 0x1fff);
	assert_at(w, NOBODY, 0x16000, "old", 0xb000);
	assert_at(w, NOBODY, 0x1ffff, "old", 0x14fff);
	map_at(w, NOBODY, 0, UINT64_MAX, "/all", 0);
	assert_at(w, NOBODY, 0, "all", 0);
	assert_at(w, NOBODY, 0x13000, "all", 0x13000);
}

/* Against an array with a byte for each address. */
static void mappings_at_random_are_those_of_a_simple_model(void **state)
{
	enum { N = 64 };
	static const char *const names[] = {"/0", "/1", "/2", "/3", "/4", "/5", "/6"};
	struct {
		int name;
		uint64_t offset;
	} model[N];
	struct world *w = *state;
	unsigned seed = 1;

	for (int round = 0; round < 200; round++) {
		processes_exec(w->ps, NOBODY);
		for (int i = 0; i < N; i++)
			model[i].name = -1;
		for (int put = 0; put < 20; put++) {
			int start = rand_r(&seed) % N, len = 1 + rand_r(&seed) % 16;
			int name = rand_r(&seed) % 7, pgoff = rand_r(&seed) % 100;

			map_at(w, NOBODY, start, start + len, names[name], pgoff);
			for (int i = start; i < start + len && i < N; i++) {
				model[i].name = name;
				model[i].offset = pgoff + i - start;
			}
		}
		for (int i = 0; i < N; i++)
			if (model[i].name >= 0)
				assert_at(w, NOBODY, i, names[model[i].name] + 1, model[i].offset);
	}
}

static void of_given_processes_alone_is_heeded(void **state)
{
	struct world *w = *state;

	processes_heed(w->ps, HEED_GIVEN);
	processes_follow(w->ps, NOBODY);
	map(w, NOBODY, 0x1000, "/given");
	processes_fork(w->ps, NOBODY + 1, NOBODY);
	processes_exec(w->ps, NOBODY + 2);
	map(w, NOBODY + 2, 0x1000, "/other");
	processes_exit(w->ps, NOBODY + 2);
	assert_at(w, NOBODY, 0x1000, "given", 0);
	assert_false(knows(w, NOBODY + 1));
	assert_false(knows(w, NOBODY + 2));
}

static void of_families_children_are_heeded_too(void **state)
{
	struct world *w = *state;

	processes_heed(w->ps, HEED_FAMILIES);
	processes_follow(w->ps, NOBODY);
	map(w, NOBODY, 0x1000, "/given");
	processes_fork(w->ps, NOBODY + 1, NOBODY);
	processes_fork(w->ps, NOBODY + 2, NOBODY + 1);
	processes_exec(w->ps, NOBODY + 2);
	map(w, NOBODY + 2, 0x1000, "/grandchild");
	processes_fork(w->ps, NOBODY + 4, NOBODY + 3);
	assert_at(w, NOBODY + 1, 0x1000, "given", 0);
	assert_at(w, NOBODY + 2, 0x1000, "grandchild", 0);
	assert_false(knows(w, NOBODY + 4));
}

static void a_fork_of_one_that_was_there_before_reads_its_maps(void **state)
{
	uint64_t ip = (uintptr_t)a_fork_of_one_that_was_there_before_reads_its_maps;
	struct world *w = *state;

	processes_fork(w->ps, NOBODY, getpid());
	assert_non_null(processes_find(w->ps, NOBODY, 0, ip));
}

static void what_is_followed_is_read_anew_after_a_loss_alone(void **state)
{
	struct world *w = *state;
	void *late;

	processes_follow(w->ps, getpid());
	late = mmap((void *)0x10000000, 4096, PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(late, MAP_FAILED);
	processes_refresh(w->ps);
	assert_at(w, getpid(), (uintptr_t)late, NULL, 0);
	processes_doubt(w->ps);
	assert_at(w, getpid(), (uintptr_t)late, "[anon]", 0);
	munmap(late, 4096);
}

static void too_many_processes_push_out_what_ended_first(void **state)
{
	struct world *w = *state;
	uint32_t last = NOBODY + PROCESSES_MAX;

	for (uint32_t tgid = NOBODY; tgid < last; tgid++) {
		processes_exec(w->ps, tgid);
		map(w, tgid, 0x1000, "/x");
	}
	assert_int_equal(processes_lost(w->ps), 0);
	processes_exec(w->ps, last); /* nobody ended: it is not taken */
	map(w, last, 0x1000, "/x");
	assert_false(knows(w, last));
	assert_int_equal(processes_lost(w->ps), 2);
	processes_exit(w->ps, NOBODY + 5);
	processes_exit(w->ps, NOBODY + 3);
	processes_exec(w->ps, last);
	map(w, last, 0x1000, "/x");
	assert_true(knows(w, last));
	assert_false(knows(w, NOBODY + 5));
	assert_true(knows(w, NOBODY + 3));
	assert_int_equal(processes_lost(w->ps), 3);
}

static void too_many_mappings_push_out_what_ended_first(void **state)
{
	const uint32_t each = 1000;
	struct world *w = *state;
	uint32_t tgid = NOBODY;

	for (; !processes_lost(w->ps) && tgid < NOBODY + 10000; tgid++) {
		processes_exec(w->ps, tgid);
		for (uint32_t i = 0; i < each; i++)
			map(w, tgid, (uint64_t)i << 13, "/x");
		processes_exit(w->ps, tgid);
	}
	assert_in_range(tgid - NOBODY, PROCESSES_MAPPING_BYTES / each / 64,
			PROCESSES_MAPPING_BYTES / each / 16);
	assert_false(knows(w, NOBODY));
	assert_true(knows(w, NOBODY + 1));
	assert_at(w, tgid - 1, (uint64_t)(each - 1) << 13, "x", 0);
}

static void one_image_has_no_more_than_so_many_mappings(void **state)
{
	struct world *w = *state;

	processes_exec(w->ps, NOBODY);
	for (uint64_t i = 0; i < MAPPINGS_MAX + 10; i++)
		map_at(w, NOBODY, i << 13, (i << 13) + 1, "/x", 0);
	assert_at(w, NOBODY, 0, "x", 0);
	assert_in_range(processes_lost(w->ps), 10, 12);
}

static void a_fork_storm_copies_nothing(void **state)
{
	struct world *w = *state;

	processes_exec(w->ps, A);
	for (uint64_t i = 0; i < 10000;
	     i++) /* 320 kB: of 60000 copies there would be room for 200 */
		map(w, A, i << 13, "/x");
	for (uint32_t i = 0; i < 60000; i++) {
		processes_fork(w->ps, NOBODY + i, A);
		processes_exit(w->ps, NOBODY + i);
	}
	assert_int_equal(processes_lost(w->ps), 0);
	assert_at(w, NOBODY, 9999ULL << 13, "x", 0);
	assert_at(w, NOBODY + 59999, 0, "x", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(an_exec_begins_anew_and_keeps_what_was_before),
	    TEST(only_the_last_images_are_kept),
	    TEST(an_exec_before_anything_is_mapped_takes_no_image),
	    TEST(a_fork_has_its_parents_mappings_and_goes_its_own_way),
	    TEST(a_number_that_is_used_again_begins_anew),
	    TEST(a_number_that_is_used_again_is_not_among_the_exited),
	    TEST(what_exited_is_forgotten_when_no_report_asks),
	    TEST(the_newest_mapping_wins),
	    TEST(mappings_at_random_are_those_of_a_simple_model),
	    TEST(of_given_processes_alone_is_heeded),
	    TEST(of_families_children_are_heeded_too),
	    TEST(a_fork_of_one_that_was_there_before_reads_its_maps),
	    TEST(what_is_followed_is_read_anew_after_a_loss_alone),
	    TEST(too_many_processes_push_out_what_ended_first),
	    TEST(too_many_mappings_push_out_what_ended_first),
	    TEST(one_image_has_no_more_than_so_many_mappings),
	    TEST(a_fork_storm_copies_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
