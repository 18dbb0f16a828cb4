/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows that have a waker, or both sides of a wakeup, or a chain of wakers. */
#include "render_golden.h"

TOOL(wakeup, "total_ns", K("target", KIND_COMM), K("waker", KIND_COMM), K("context", KIND_CONTEXT),
     K("kstack", KIND_KSTACK), COUNT_TOTAL_MAX);
TOOL(both, "total_ns", K("target", KIND_COMM), K("kstack", KIND_KSTACK), K("ustack", KIND_USTACK),
     K("waker", KIND_COMM), K("waker_kstack", KIND_KSTACK), K("waker_ustack", KIND_USTACK),
     COUNT_TOTAL_MAX);
TOOL(chained, "total_ns", K("target", KIND_COMM), K("kstack", KIND_KSTACK), K("waker", KIND_COMM),
     K("context", KIND_CONTEXT), K("waker_kstack", KIND_KSTACK), K("chain", KIND_CHAIN),
     COUNT_TOTAL_MAX);

static void a_wakeup_folds_from_the_waker_to_the_target(void **state)
{
	struct snapshot s;

	(void)state;
	begin(&s, &wakeup);
	ADD(&s, text(&s, "fio 1"), text(&s, "swapper/0 2"), text(&s, "hardirq"),
	    frames(&s, kernel, false), number(1), number(1000), number(1000));
	check("wakeup.folded", &renderer_folded, &s, (struct style){0});
	snapshot_free(&s);
}

static void both_sides_of_a_wakeup_meet_at_two_dashes(void **state)
{
	struct snapshot s;

	(void)state;
	begin(&s, &both);
	ADD(&s, text(&s, "fio"), frames(&s, kernel, false), frames(&s, user, false),
	    text(&s, "cat 3"), frames(&s, kernel, true), frames(&s, user, false), number(1),
	    number(1000), number(1000));
	ADD(&s, text(&s, "sh"), frames(&s, none, false), frames(&s, none, false),
	    text(&s, "swapper"), frames(&s, none, false), frames(&s, none, false), number(1),
	    number(500), number(500));
	snapshot_finish(&s, &both_columns[7]);
	check("both.text", &renderer_text, &s, (struct style){0});
	check("both.folded", &renderer_folded, &s, (struct style){0});
	snapshot_free(&s);
}

static struct link waker(struct snapshot *s, const char *name, const char *const *frame, bool cut)
{
	return (struct link){text(s, name).s, frames(s, frame, cut).stack};
}

static union cell chain(struct snapshot *s, const struct link *link, uint32_t n)
{
	const struct chain *made = snapshot_chain(s, link, n);

	assert_non_null(made);
	return (union cell){.chain = made};
}

static void a_chain_goes_on_from_the_waker(void **state)
{
	struct snapshot s;
	struct link links[3];

	(void)state;
	begin(&s, &chained);
	links[0] = waker(&s, "relay-a", kernel, true);
	links[1] = waker(&s, "ev;il\n 7", evil, false);
	links[2] = waker(&s, "[timer]", none, false);
	ADD(&s, text(&s, "relay-c"), frames(&s, kernel, false), text(&s, "relay-b"),
	    text(&s, "task"), frames(&s, kernel, false), chain(&s, links, 3), number(2),
	    number(2000), number(1500));
	ADD(&s, text(&s, "relay-c"), frames(&s, kernel, false), text(&s, "[softirq]"),
	    text(&s, "softirq"), frames(&s, none, false), chain(&s, NULL, 0), number(1),
	    number(900), number(900));
	snapshot_finish(&s, &chained_columns[7]);
	check_all("chain", &s, (struct style){0});
	snapshot_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_wakeup_folds_from_the_waker_to_the_target),
	    cmocka_unit_test(both_sides_of_a_wakeup_meet_at_two_dashes),
	    cmocka_unit_test(a_chain_goes_on_from_the_waker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
