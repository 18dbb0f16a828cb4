/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows that are estimates (offcputime --budget): their errors, how they are shown, the option. */
#include "render_golden.h"

#include "bpf/offcpu.h"
#include "core/opts.h"

TOOL(sampled, "total_ns", K("comm", KIND_COMM), K("kstack", KIND_KSTACK), V("count", KIND_COUNT),
     V("count_error", KIND_ERROR), V("total_ns", KIND_NS), V("total_error_ns", KIND_ERROR_NS),
     V("max_ns", KIND_NS));

enum { COMM, KSTACK, COUNT, COUNT_ERROR, TOTAL, TOTAL_ERROR };

/* As bpf/budget.bpf.h adds up kept intervals of one length, each of which stands for times. */
static void add_kept(struct snapshot *s, const char *comm, uint64_t kept, uint64_t ns)
{
	uint64_t budget = s->estimate.budget_ns, times = budget / ns;

	ADD(s, text(s, comm), frames(s, kernel, false), number(kept * times),
	    number(kept * times * (times - 1)), number(kept * budget), number(kept * (budget - ns)),
	    number(ns));
}

static void begin_sampled(struct snapshot *s)
{
	begin(s, &sampled);
	s->estimate.budget_ns = 1000000;
	s->estimate.kept = 145;
	s->estimate.exact_count = 14303;
	s->estimate.exact_total_ns = 143200000;
}

static uint64_t cell_of(const struct snapshot *s, size_t row, unsigned column)
{
	return snapshot_row(s, row)[column].u;
}

static void errors_are_the_roots_of_what_was_summed(void **state)
{
	struct snapshot s;

	(void)state;
	begin_sampled(&s);
	/* Twice 25 intervals of a quarter of the budget: p = 1/4, so 50 * (3/4) * budget^2. */
	add_kept(&s, "a", 25, 250000);
	add_kept(&s, "a", 25, 250000);
	/* As long as the budget: certain. */
	add_kept(&s, "b", 9, 1000000);
	snapshot_finish(&s, &sampled_columns[TOTAL]);
	assert_int_equal(s.n_rows, 2);
	assert_int_equal(cell_of(&s, 0, TOTAL), 50000000);
	assert_int_equal(cell_of(&s, 0, TOTAL_ERROR), 6123724); /* sqrt(37.5) budgets */
	assert_int_equal(cell_of(&s, 0, COUNT), 200);
	assert_int_equal(cell_of(&s, 0, COUNT_ERROR), 24); /* sqrt(50 * 4 * 3) */
	assert_int_equal(cell_of(&s, 1, TOTAL_ERROR), 0);
	assert_int_equal(cell_of(&s, 1, COUNT_ERROR), 0);
	snapshot_free(&s);
}

static void the_sums_of_all_rows_have_one_error(void **state)
{
	struct snapshot s;

	(void)state;
	begin_sampled(&s);
	add_kept(&s, "a", 25, 250000);
	add_kept(&s, "b", 25, 250000);
	snapshot_finish(&s, NULL);
	snapshot_top(&s, 1); /* rows that are not shown are in them */
	assert_int_equal(s.estimate.total_ns, 50000000);
	assert_int_equal(s.estimate.total_error_ns, 6123724);
	assert_int_equal(s.estimate.count, 200);
	assert_int_equal(s.estimate.count_error, 24);
	snapshot_free(&s);
}

static void errors_stand_beside_their_values_and_exact_totals_below(void **state)
{
	struct snapshot s;

	(void)state;
	begin_sampled(&s);
	add_kept(&s, "ping", 100, 10000);
	add_kept(&s, "pong", 44, 10000);
	add_kept(&s, "cron", 1, 1000000);
	snapshot_note(&s, "as of now");
	snapshot_finish(&s, &sampled_columns[TOTAL]);
	check_all("estimate", &s, (struct style){0});
	snapshot_free(&s);
}

static enum status parsed(struct opts *opts, char *a, char *b, char *c)
{
	char *argv[] = {(char *)"offcputime", a, b, c, NULL};

	return opts_parse(tool_find("offcputime"), c ? 4 : b ? 3 : 2, argv, opts);
}

static void a_budget_is_a_time_of_at_most_a_second(void **state)
{
	static const char *const bad[] = {"--budget=0",      "--budget=2s",   "--budget=x",
					  "--budget=1001ms", "--budget=-1us", "--budget="};
	struct opts opts;
	const struct offcpu_cfg *cfg = (const struct offcpu_cfg *)opts.cfg;

	(void)state;
	assert_int_equal(parsed(&opts, (char *)"--budget=2ms", NULL, NULL), OK);
	assert_int_equal(cfg->budget_ns, 2000000);
	assert_int_equal(parsed(&opts, (char *)"--budget=1s", (char *)"--budget=50", NULL), OK);
	assert_int_equal(cfg->budget_ns, 50000);
	assert_int_equal(opts.n_optional, 2);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parsed(&opts, (char *)bad[i], NULL, NULL), USAGE);
}

static void with_a_budget_errors_are_shown_and_without_one_they_are_not(void **state)
{
	const struct tool *tool = tool_find("offcputime");
	struct opts opts;

	(void)state;
	assert_int_equal(
	    parsed(&opts, (char *)"--budget=2ms", (char *)"-S", (char *)"total_error_ns"), OK);
	assert_true(opts_shows(&opts, tool_column(tool, "count_error")));
	assert_true(opts_shows(&opts, tool_column(tool, "total_error_ns")));
	assert_int_equal(parsed(&opts, (char *)"-K", NULL, NULL), OK);
	assert_false(opts_shows(&opts, tool_column(tool, "count_error")));
	assert_int_equal(parsed(&opts, (char *)"-S", (char *)"total_error_ns", NULL), USAGE);
}

static void a_minimum_that_leaves_nothing_to_sample_is_refused(void **state)
{
	struct opts opts;

	(void)state;
	assert_int_equal(parsed(&opts, (char *)"--budget=2ms", (char *)"--min=1ms", NULL), OK);
	assert_int_equal(parsed(&opts, (char *)"--budget=2ms", (char *)"--min=2ms", NULL), USAGE);
	assert_int_equal(parsed(&opts, (char *)"--min=1s", (char *)"--budget=2ms", NULL), USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(errors_are_the_roots_of_what_was_summed),
	    cmocka_unit_test(the_sums_of_all_rows_have_one_error),
	    cmocka_unit_test(errors_stand_beside_their_values_and_exact_totals_below),
	    cmocka_unit_test(a_budget_is_a_time_of_at_most_a_second),
	    cmocka_unit_test(with_a_budget_errors_are_shown_and_without_one_they_are_not),
	    cmocka_unit_test(a_minimum_that_leaves_nothing_to_sample_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
