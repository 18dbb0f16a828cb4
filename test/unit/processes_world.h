/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A table of processes to fill, and to ask what an address lies in. */
#ifndef KTRACE_TEST_PROCESSES_WORLD_H
#define KTRACE_TEST_PROCESSES_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/processes.h"

#define NOBODY 4194305U /* above PID_MAX_LIMIT: no such process can be */

struct world {
	struct user_files *files;
	struct processes *ps;
};

static int set_up(void **state)
{
	struct world *w = malloc(sizeof(*w));

	assert_non_null(w);
	w->files = user_files_new();
	w->ps = processes_new(w->files);
	assert_non_null(w->ps);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	processes_free(w->ps);
	user_files_free(w->files);
	free(w);
	return 0;
}

/* In the last image that has it. */
static const struct mapping *found(struct world *w, uint32_t tgid, uint64_t ip)
{
	const struct mapping *map = NULL;

	for (unsigned image = 0; !map && image < PROCESS_IMAGES; image++)
		map = processes_find(w->ps, tgid, image, ip);
	return map;
}

/* What an address lies in, and the offset there; NULL: in nothing. */
static void assert_at(struct world *w, uint32_t tgid, uint64_t ip, const char *name,
		      uint64_t offset)
{
	const struct mapping *map = found(w, tgid, ip);

	if (!name) {
		assert_null(map);
		return;
	}
	assert_non_null(map);
	assert_string_equal(user_files_name(w->files, map->file), name);
	assert_int_equal(ip - map->start + map->pgoff, offset);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
