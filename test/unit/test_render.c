/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "render_golden.h"

TOOL(blocked, "total_ns", K("comm", KIND_COMM), K("tid", KIND_U32), K("state", KIND_STATE),
     K("kstack", KIND_KSTACK), K("ustack", KIND_USTACK), COUNT_TOTAL_MAX, V("blocked", KIND_COUNT));
TOOL(work, "total_ns", K("func", KIND_FUNC), K("workqueue", KIND_TEXT), COUNT_TOTAL_MAX,
     V("hist_ns", KIND_HIST_NS), V("delay_hist_ns", KIND_HIST_NS));
TOOL(lock, NULL, K("lock", KIND_TEXT), K("comm", KIND_COMM), V("hist_ns", KIND_HIST_NS));
TOOL(stack_only, "pages", K("kstack", KIND_KSTACK), V("pages", KIND_COUNT));
TOOL(loads, NULL, V("load1", KIND_LOAD), V("load5", KIND_LOAD), V("load15", KIND_LOAD));
TOOL(plain, NULL, V("migrations", KIND_COUNT), V("failed", KIND_COUNT), V("total_ns", KIND_NS));

static const struct column cache_columns[] = {
    K("cache", KIND_TEXT),
    V("allocs", KIND_COUNT),
    V("bytes", KIND_BYTES),
    V("net_bytes", KIND_DIFF_BYTES),
    {.name = "avg_bytes", .kind = KIND_RATIO_BYTES, .num = "bytes", .den = "allocs"},
    END,
};
static const struct tool cache = {.name = "cache",
				  .columns = cache_columns,
				  .sort = "allocs",
				  .text_top = 3,
				  .load_header = true};

static void stacks_are_blocks_leaf_first_and_fold_outer_first(void **state)
{
	struct snapshot s;

	(void)state;
	begin(&s, &blocked);
	ADD(&s, text(&s, "fio"), number(12), number('D'), frames(&s, kernel, false),
	    frames(&s, user, false), number(20), number(1020000000), number(50100000), number(0));
	ADD(&s, text(&s, "kworker/0:1"), number(7), number('I'), frames(&s, kernel, true),
	    frames(&s, none, false), number(1), number(2000), number(2000), number(1));
	ADD(&s, text(&s, "lost 5"), number(8), number('S'), frames(&s, none, false),
	    frames(&s, none, false), number(3), number(1500), number(900), number(3));
	ADD(&s, text(&s, "deep"), number(9), number('S'), frames(&s, none, true),
	    frames(&s, user, true), number(1), number(1), number(1), number(0));
	ADD(&s, text(&s, "zero"), number(9), number('S'), frames(&s, kernel, false),
	    frames(&s, none, false), number(1), number(0), number(0), number(0));
	snapshot_finish(&s, &blocked_columns[6]);
	check_all("stacks", &s, (struct style){0});
	snapshot_free(&s);
}

static void hostile_names_stay_inside_their_field(void **state)
{
	const char *const names[] = {"\x1b]0;own\a",    "a\";b\\", "two\nlines", "\xff\xc2\x9b",
				     "\xe2\x80\xaetxt", "comm 5",  "",           "caf\xc3"};
	struct snapshot s;

	(void)state;
	begin(&s, &blocked);
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ADD(&s, text(&s, names[i]), number(i), number('R'), frames(&s, none, false),
		    frames(&s, i % 2 ? evil : none, false), number(1), number(UINT64_MAX - i),
		    number(UINT64_MAX), number(0));
	snapshot_note(&s, "from \x1b[31m\"%s\"\n", "somewhere");
	snapshot_finish(&s, &blocked_columns[6]);
	check_all("hostile", &s, (struct style){0});
	snapshot_free(&s);
}

static void histograms_line_up_at_their_edges(void **state)
{
	struct snapshot s;
	union cell run, delay, empty;

	(void)state;
	begin(&s, &work);
	run.hist = snapshot_hist(&s);
	delay.hist = snapshot_hist(&s);
	empty.hist = snapshot_hist(&s);
	run.hist[9] = 1659;
	run.hist[10] = 16590;
	run.hist[12] = 1;
	delay.hist[0] = UINT64_MAX;
	delay.hist[63] = UINT64_MAX / 2;
	ADD(&s, text(&s, "vmstat_update"), text(&s, "mm_percpu_wq"), number(18250),
	    number(90000000), number(4096), run, empty);
	ADD(&s, text(&s, "idle_cull_fn"), text(&s, "ev;il\x1b"), number(1), number(UINT64_MAX),
	    number(UINT64_MAX), empty, delay);
	snapshot_finish(&s, &work_columns[3]);
	check("hist.text", &renderer_text, &s, (struct style){0});
	check("hist.json", &renderer_json, &s, (struct style){0});
	snapshot_free(&s);
}

static void one_histogram_needs_no_title(void **state)
{
	struct snapshot s;
	union cell hist;

	(void)state;
	begin(&s, &lock);
	hist.hist = snapshot_hist(&s);
	hist.hist[9] = 1659;
	ADD(&s, text(&s, "ext4_sb+0x120"), text(&s, "fio"), hist);
	check("hist_one.text", &renderer_text, &s, (struct style){.report = 1});
	snapshot_free(&s);
}

static void add_caches(struct snapshot *s)
{
	ADD(s, text(s, "kmalloc-64"), number(1200000), number(76800000), (union cell){.i = -4096},
	    number(0));
	ADD(s, text(s, "a_cache_with_a_name_of_31_bytes"), number(5), number(1 << 20),
	    (union cell){.i = 1023}, number(0));
	ADD(s, text(s, "evil\n"), number(4), number(UINT64_MAX), (union cell){.i = INT64_MIN},
	    number(0));
	ADD(s, text(s, "last"), number(0), number(0), (union cell){.i = 0}, number(0));
	snapshot_finish(s, &cache_columns[1]);
}

static void tables_fit_the_terminal_and_say_what_they_leave_out(void **state)
{
	struct snapshot s;

	(void)state;
	begin(&s, &cache);
	add_caches(&s);
	check("table.text", &renderer_text, &s, (struct style){0});
	check("table_narrow.text", &renderer_text, &s,
	      (struct style){.width = 50, .report = 2, .explicit_top = true});
	check("table_tiny.text", &renderer_text, &s, (struct style){.width = 1});
	check("table_screen.text", &renderer_text, &s,
	      (struct style){.clear = true, .color = true, .report = 3});
	snapshot_top(&s, 2);
	check("table_top.text", &renderer_text, &s, (struct style){.explicit_top = true});
	check("table_top.json", &renderer_json, &s, (struct style){.explicit_top = true});
	snapshot_free(&s);
}

static void keyless_rows_are_lines_under_one_header(void **state)
{
	struct snapshot s;

	(void)state;
	begin(&s, &loads);
	ADD(&s, number(33686), number(33423), number(32));
	check_all("loads", &s, (struct style){.timestamp = true});
	check("loads_next.text", &renderer_text, &s, (struct style){.report = 1});
	snapshot_free(&s);
	begin(&s, &plain);
	ADD(&s, number(12), number(0), number(1500000));
	check("plain.text", &renderer_text, &s, (struct style){0});
	snapshot_free(&s);
}

static void without_a_name_the_tool_is_the_root(void **state)
{
	struct snapshot s;

	(void)state;
	begin(&s, &stack_only);
	ADD(&s, frames(&s, kernel, false), number(4));
	ADD(&s, frames(&s, none, false), number(2));
	check("nameless.text", &renderer_text, &s, (struct style){0});
	check("nameless.folded", &renderer_folded, &s, (struct style){0});
	snapshot_free(&s);
}

static void an_empty_report_says_so(void **state)
{
	struct snapshot s;

	(void)state;
	begin(&s, &blocked);
	snapshot_finish(&s, &blocked_columns[6]);
	check_all("empty", &s, (struct style){.timestamp = true});
	snapshot_free(&s);
}

static void losses_are_the_last_line_and_the_cost_is_before(void **state)
{
	struct snapshot s;

	(void)state;
	begin(&s, &blocked);
	snapshot_note(&s, "1 of 10 allocations is seen");
	s.loss = (struct loss){.events = 3, .rows = 1, .stacks = 12};
	s.missed = 4;
	s.cost = (struct cost){12345, 2400000, 0.05, true};
	check("lost.text", &renderer_text, &s, (struct style){.verbose = true});
	check("lost.json", &renderer_json, &s, (struct style){.verbose = true});
	s.loss = (struct loss){.stacks = 1};
	s.missed = 0;
	s.cost.known = false;
	check("lost_part.text", &renderer_text, &s, (struct style){.verbose = true});
	snapshot_free(&s);
}

static void renderers_are_found_by_name(void **state)
{
	(void)state;
	assert_ptr_equal(renderer_find("text"), &renderer_text);
	assert_ptr_equal(renderer_find("json"), &renderer_json);
	assert_ptr_equal(renderer_find("folded"), &renderer_folded);
	assert_null(renderer_find("fold"));
	assert_null(renderer_find(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(stacks_are_blocks_leaf_first_and_fold_outer_first),
	    cmocka_unit_test(hostile_names_stay_inside_their_field),
	    cmocka_unit_test(histograms_line_up_at_their_edges),
	    cmocka_unit_test(one_histogram_needs_no_title),
	    cmocka_unit_test(tables_fit_the_terminal_and_say_what_they_leave_out),
	    cmocka_unit_test(keyless_rows_are_lines_under_one_header),
	    cmocka_unit_test(without_a_name_the_tool_is_the_root),
	    cmocka_unit_test(an_empty_report_says_so),
	    cmocka_unit_test(losses_are_the_last_line_and_the_cost_is_before),
	    cmocka_unit_test(renderers_are_found_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
