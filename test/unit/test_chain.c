/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chains of wakers: the snapshot's side, and what tools must declare for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/opts.h"
#include "core/snapshot.h"

/* Last: its macro fail() hides ours. */
#include <cmocka.h>

static const struct column columns[] = {
    {.name = "target", .kind = KIND_COMM, .key = true},
    {.name = "chain", .kind = KIND_CHAIN, .key = true},
    {.name = "count", .kind = KIND_COUNT},
    {0},
};
static const struct tool fake = {.name = "fake", .columns = columns, .sort = "count"};

static struct link link_of(struct snapshot *s, const char *name, const char *leaf)
{
	const char *const frames[] = {leaf, "do_syscall_64"};

	return (struct link){snapshot_text(s, name, strlen(name)),
			     snapshot_stack(s, frames, 2, false)};
}

static void add(struct snapshot *s, const char *target, const struct link *link, uint32_t n)
{
	const union cell cells[] = {{.s = snapshot_text(s, target, strlen(target))},
				    {.chain = snapshot_chain(s, link, n)},
				    {.u = 1}};

	assert_non_null(cells[1].chain);
	assert_int_equal(snapshot_add(s, cells), 0);
}

static void equal_chains_are_one(void **state)
{
	struct snapshot s;
	struct link ab[2], ba[2];

	(void)state;
	assert_int_equal(snapshot_init(&s, &fake, NULL, 0, NULL, 0), 0);
	ab[0] = ba[1] = link_of(&s, "a", "pipe_write");
	ab[1] = ba[0] = link_of(&s, "b", "pipe_write");
	assert_ptr_equal(snapshot_chain(&s, ab, 2), snapshot_chain(&s, ab, 2));
	assert_ptr_not_equal(snapshot_chain(&s, ab, 2), snapshot_chain(&s, ba, 2));
	assert_ptr_not_equal(snapshot_chain(&s, ab, 2), snapshot_chain(&s, ab, 1));
	assert_ptr_equal(snapshot_chain(&s, NULL, 0), snapshot_chain(&s, ab, 0));
	ab[1] = link_of(&s, "b", "futex_wake");
	ba[1] = ab[0];
	assert_ptr_not_equal(snapshot_chain(&s, ab, 2), snapshot_chain(&s, ba, 2));
	assert_int_equal(snapshot_chain(&s, ab, 2)->n, 2);
	assert_string_equal(snapshot_chain(&s, ab, 2)->link[1].kstack->frame[0], "futex_wake");
	snapshot_free(&s);
}

static void rows_merge_where_their_chains_are_equal(void **state)
{
	struct snapshot s;
	struct link links[2];

	(void)state;
	assert_int_equal(snapshot_init(&s, &fake, NULL, 0, NULL, 0), 0);
	links[0] = link_of(&s, "b", "pipe_write");
	links[1] = link_of(&s, "a", "pipe_write");
	add(&s, "t", links, 2);
	add(&s, "t", links, 2);
	add(&s, "t", links, 1);
	add(&s, "t", NULL, 0);
	links[0].waker = links[1].waker;
	add(&s, "t", links, 1);
	assert_int_equal(s.n_rows, 4);
	snapshot_finish(&s, &columns[2]);
	assert_int_equal(snapshot_row(&s, 0)[2].u, 2);
	/* Of equal counts: shorter ones first, then by name. */
	assert_int_equal(snapshot_row(&s, 1)[1].chain->n, 0);
	assert_string_equal(snapshot_row(&s, 2)[1].chain->link[0].waker, "a");
	assert_string_equal(snapshot_row(&s, 3)[1].chain->link[0].waker, "b");
	snapshot_free(&s);
}

static void a_user_stack_names_its_tgid(void **state)
{
	(void)state;
	for (const struct tool *const *tool = tools; *tool; tool++) {
		for (const struct column *c = (*tool)->columns; c->name; c++) {
			const struct column *owner = (*tool)->columns;

			if (c->kind != KIND_USTACK)
				continue;
			while (owner->name && (owner->kind != KIND_U32 || owner->off != c->tgid))
				owner++;
			assert_non_null(owner->name);
			assert_non_null(strstr(owner->name, "tgid"));
		}
	}
}

static void a_context_is_told_from_a_kernel_stack(void **state)
{
	(void)state;
	for (const struct tool *const *tool = tools; *tool; tool++) {
		const struct column *stack = (*tool)->columns;
		bool needed = false;

		for (const struct column *c = (*tool)->columns; c->name; c++)
			needed |= c->running || c->kind == KIND_CONTEXT;
		while (stack->name &&
		       (stack->kind != KIND_KSTACK || stack->off != (*tool)->layout.running_kstack))
			stack++;
		assert_true(!needed || stack->name);
	}
}

static enum status parsed(struct opts *opts, int argc, char **argv)
{
	return opts_parse(tool_find("offwaketime"), argc, argv, opts);
}

static void a_chain_is_shown_when_asked_for(void **state)
{
	const struct column *chain = tool_column(tool_find("offwaketime"), "chain");
	char *plain[] = {"offwaketime", NULL}, *grouped[] = {"offwaketime", "-g", "chain", NULL};
	char *twice[] = {"offwaketime", "--chain", "2", "--chain", "8", "-g", "target", NULL};
	struct filter filter = {};
	static struct opts opts;

	(void)state;
	assert_int_equal(parsed(&opts, 1, plain), OK);
	assert_false(opts_shows(&opts, chain));
	opts_filter(&opts, &filter);
	assert_false(filter.want & WANT_CHAIN);
	assert_int_equal(parsed(&opts, 3, grouped), USAGE);
	assert_int_equal(parsed(&opts, 7, twice), OK);
	assert_int_equal(opts.n_optional, 1);
	assert_true(opts_shows(&opts, chain));
	opts_filter(&opts, &filter);
	assert_true(filter.want & WANT_CHAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(equal_chains_are_one),
	    cmocka_unit_test(rows_merge_where_their_chains_are_equal),
	    cmocka_unit_test(a_user_stack_names_its_tgid),
	    cmocka_unit_test(a_context_is_told_from_a_kernel_stack),
	    cmocka_unit_test(a_chain_is_shown_when_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
