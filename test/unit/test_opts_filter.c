/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel is told by the options, and whether the tools' tables agree with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/opts.h"

/* Last: its macro fail() hides ours. */
#include <cmocka.h>

static const struct column columns[] = {
    {.name = "comm", .kind = KIND_COMM, .key = true, .want = WANT_COMM},
    {.name = "tgid", .kind = KIND_U32, .key = true, .want = WANT_TGID},
    {.name = "cgroup", .kind = KIND_CGROUP, .key = true, .optional = true, .want = WANT_CGROUP},
    {.name = "kstack", .kind = KIND_KSTACK, .key = true, .want = WANT_KSTACK},
    {.name = "ustack", .kind = KIND_USTACK, .key = true, .want = WANT_USTACK},
    {.name = "count", .kind = KIND_COUNT},
    {0},
};

static const struct tool fake = {.name = "fake",
				 .columns = columns,
				 .accepts =
				     ACCEPT_TASK | ACCEPT_STACKS | ACCEPT_LATENCY | ACCEPT_ROWS};

static struct opts opts;

static void parse(const struct tool *tool, const char *words)
{
	static char text[256];
	static char *argv[32];
	int argc = 1;

	assert_true(strlen(words) < sizeof(text));
	strcpy(text, words);
	argv[0] = text + strlen(text);
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	assert_int_equal(opts_parse(tool, argc, argv, &opts), OK);
}

static struct filter filter_of(const char *words)
{
	struct filter filter;

	memset(&filter, 0, sizeof(filter));
	parse(&fake, words);
	opts_filter(&opts, &filter);
	return filter;
}

static void columns_that_are_not_shown_are_not_asked_for(void **state)
{
	(void)state;
	assert_int_equal(filter_of("").want, WANT_COMM | WANT_TGID | WANT_KSTACK | WANT_USTACK);
	assert_int_equal(filter_of("-U").want, WANT_COMM | WANT_TGID | WANT_USTACK);
	assert_int_equal(filter_of("-K").want, WANT_COMM | WANT_TGID | WANT_KSTACK);
	assert_int_equal(filter_of("-s 0").want, WANT_COMM | WANT_TGID);
	assert_int_equal(filter_of("-g cgroup").want, WANT_CGROUP);
	assert_int_equal(filter_of("-g comm,cgroup").want, WANT_COMM | WANT_CGROUP);
}

static void filters_are_off_until_asked_for(void **state)
{
	struct filter filter = filter_of(""), none;

	(void)state;
	memset(&none, 0, sizeof(none));
	none.want = filter.want;
	assert_memory_equal(&filter, &none, sizeof(filter));
}

static void each_option_turns_on_its_own_filter(void **state)
{
	(void)state;
	assert_int_equal(filter_of("-p 1").by_tgid, 1);
	assert_int_equal(filter_of("-p 1").by_tid, 0);
	assert_int_equal(filter_of("-t 1").by_tid, 1);
	assert_int_equal(filter_of("-t 1").by_tgid, 0);
	assert_int_equal(filter_of("-C x").by_comm, 1);
	assert_string_equal(filter_of("-C x").comm, "x");
	assert_int_equal(filter_of("-G /y").by_cgroup, 1);
	assert_int_equal(filter_of("-k").kernel_threads, 1);
	assert_int_equal(filter_of("-k").user_threads, 0);
	assert_int_equal(filter_of("-u").user_threads, 1);
	assert_int_equal(filter_of("-m 1ms").min_ns, 1000000);
	assert_int_equal(filter_of("-m 1ms").max_ns, 0);
	assert_int_equal(filter_of("-M 2ms").max_ns, 2000000);
}

static void any_filter_of_tasks_says_so(void **state)
{
	const char *words[] = {"-p 1", "-t 1", "-C x", "-G /y", "-k", "-u", "-- ls"};

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		assert_int_equal(filter_of(words[i]).by_any, 1);
	assert_int_equal(filter_of("-m 1ms").by_any, 0);
}

static void a_command_is_followed_by_its_process(void **state)
{
	struct filter filter = filter_of("-- ls");

	(void)state;
	assert_int_equal(filter.by_tgid, 1);
	assert_int_equal(filter.follow, 1);
	assert_int_equal(filter_of("-p 1").follow, 0);
}

static const struct option_row *same_option(const struct option_row *rows,
					    const struct option_row *wanted)
{
	for (; rows->key; rows++)
		if (rows->key == wanted->key || !strcmp(rows->name, wanted->name))
			return rows;
	return NULL;
}

static void no_tool_has_an_option_twice(void **state)
{
	(void)state;
	for (const struct tool *const *t = tools; *t; t++) {
		for (const struct option_row *row = (*t)->options; row && row->key; row++) {
			const struct option_row *shared = same_option(opts_shared, row);

			assert_null(same_option(row + 1, row));
			assert_true(!shared || !opts_accepted(*t, shared));
		}
	}
}

static void every_tool_sorts_by_a_column_and_fits_its_cfg(void **state)
{
	(void)state;
	for (const struct tool *const *t = tools; *t; t++) {
		assert_true(!(*t)->sort || tool_column(*t, (*t)->sort));
		assert_in_range((*t)->layout.cfg_size, sizeof(struct filter), CFG_MAX);
	}
}

static void every_column_lies_within_its_struct(void **state)
{
	(void)state;
	for (const struct tool *const *t = tools; *t; t++) {
		for (const struct column *c = (*t)->columns; c->name; c++) {
			uint32_t size = c->key && !c->in_value ? (*t)->layout.key_size
							       : (*t)->layout.value_size;

			assert_in_range(c->off + c->size, 0, size);
			assert_true(c->size || c->kind == KIND_CONTEXT || column_is_computed(c));
			assert_null(tool_column(&(const struct tool){.columns = c + 1}, c->name));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(columns_that_are_not_shown_are_not_asked_for),
	    cmocka_unit_test(filters_are_off_until_asked_for),
	    cmocka_unit_test(each_option_turns_on_its_own_filter),
	    cmocka_unit_test(any_filter_of_tasks_says_so),
	    cmocka_unit_test(a_command_is_followed_by_its_process),
	    cmocka_unit_test(no_tool_has_an_option_twice),
	    cmocka_unit_test(every_tool_sorts_by_a_column_and_fits_its_cfg),
	    cmocka_unit_test(every_column_lies_within_its_struct),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
