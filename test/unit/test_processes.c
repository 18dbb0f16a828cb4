/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "processes_world.h"

static void learn(struct world *w, uint32_t tgid, const char *text)
{
	assert_int_equal(processes_learn_text(w->ps, tgid, text, strlen(text)), 0);
}

static void only_executable_mappings_are_kept(void **state)
{
	struct world *w = *state;

	learn(w, NOBODY,
	      "1000-2000 r--p 0 0:0 1 /a\n2000-3000 r-xp 1000 0:0 1 /a\n"
	      "3000-4000 rw-p 2000 0:0 1 /a\n5000-6000 rw-p 0 0:0 0 [heap]\n");
	assert_at(w, NOBODY, 0x1000, NULL, 0);
	assert_at(w, NOBODY, 0x2000, "a", 0x1000);
	assert_at(w, NOBODY, 0x3000, NULL, 0);
	assert_at(w, NOBODY, 0x5000, NULL, 0);
}

static void maps_without_code_change_nothing(void **state)
{
	static const char none[] = "1000-2000 rw-p 0 0:0 1 /a\n";
	struct world *w = *state;

	assert_int_equal(processes_learn_text(w->ps, NOBODY, none, strlen(none)), -ESRCH);
	assert_int_equal(processes_learn_text(w->ps, NOBODY, "", 0), -ESRCH);
	learn(w, NOBODY, "1000-2000 r-xp 0 0:0 1 /a\n");
	assert_int_equal(processes_learn_text(w->ps, NOBODY, none, strlen(none)), -ESRCH);
	assert_at(w, NOBODY, 0x1000, "a", 0);
}

static void unsorted_and_overlapping_maps_are_searched_all_the_same(void **state)
{
	struct world *w = *state;

	learn(w, NOBODY,
	      "9000-a000 r-xp 0 0:0 1 /c\n1000-2000 r-xp 0 0:0 1 /a\n"
	      "5000-6000 r-xp 0 0:0 1 /b\n5000-6000 r-xp 0 0:0 1 /b\n");
	assert_at(w, NOBODY, 0x1001, "a", 1);
	assert_at(w, NOBODY, 0x5001, "b", 1);
	assert_at(w, NOBODY, 0x9001, "c", 1);
}

static pid_t start_child(void)
{
	pid_t child = fork();

	assert_true(child >= 0);
	if (!child)
		for (;;)
			pause();
	return child;
}

static void end_child(pid_t child)
{
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void a_process_that_is_gone_keeps_its_last_maps(void **state)
{
	uint64_t ip = (uintptr_t)a_process_that_is_gone_keeps_its_last_maps;
	struct world *w = *state;
	pid_t child = start_child();

	assert_int_equal(processes_learn(w->ps, child), 0);
	end_child(child);
	for (int report = 0; report < 3; report++) {
		const struct mapping *map = found(w, child, ip);

		assert_non_null(map);
		assert_string_equal(user_files_name(w->files, map->file), "test_processes");
		processes_refresh(w->ps);
		assert_int_equal(processes_learn(w->ps, child), -ESRCH);
	}
}

static void a_process_gone_before_it_was_learned_is_unknown(void **state)
{
	struct world *w = *state;
	pid_t child = start_child();

	end_child(child);
	assert_at(w, child, (uintptr_t)start_child, NULL, 0);
	assert_int_equal(processes_learn(w->ps, child), -ESRCH);
}

static void maps_are_read_once_per_report(void **state)
{
	struct world *w = *state;
	void *late;

	assert_int_equal(processes_learn(w->ps, getpid()), 0);
	late = mmap((void *)0x10000000, 4096, PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(late, MAP_FAILED);
	assert_at(w, getpid(), (uintptr_t)late, NULL, 0);
	processes_refresh(w->ps);
	assert_at(w, getpid(), (uintptr_t)late, "[anon]", 0);
	munmap(late, 4096);
}

static void a_process_nobody_asks_for_is_forgotten(void **state)
{
	struct world *w = *state;

	learn(w, NOBODY, "1000-2000 r-xp 0 0:0 1 /a\n");
	for (int i = 0; i < 16; i++)
		processes_refresh(w->ps);
	assert_at(w, NOBODY, 0x1000, "a", 0);
	for (int i = 0; i < 17; i++)
		processes_refresh(w->ps);
	assert_at(w, NOBODY, 0x1000, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(only_executable_mappings_are_kept),
	    TEST(maps_without_code_change_nothing),
	    TEST(unsorted_and_overlapping_maps_are_searched_all_the_same),
	    TEST(a_process_that_is_gone_keeps_its_last_maps),
	    TEST(a_process_gone_before_it_was_learned_is_unknown),
	    TEST(maps_are_read_once_per_report),
	    TEST(a_process_nobody_asks_for_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
