/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From words to struct opts; what comes of it is in test_opts_filter.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/opts.h"

/* Last: its macro fail() hides ours. */
#include <cmocka.h>

struct fake_cfg {
	struct filter filter;
	uint64_t limit, bytes;
	char name[8];
	uint32_t number;
	uint8_t flag;
};

static const struct fake_cfg defaults = {.limit = 77};

static const struct column columns[] = {
    {.name = "comm", .kind = KIND_COMM, .key = true, .want = WANT_COMM},
    {.name = "tgid", .kind = KIND_U32, .key = true, .want = WANT_TGID},
    {.name = "cgroup", .kind = KIND_CGROUP, .key = true, .optional = true, .want = WANT_CGROUP},
    {.name = "kstack", .kind = KIND_KSTACK, .key = true, .want = WANT_KSTACK},
    {.name = "ustack", .kind = KIND_USTACK, .key = true, .want = WANT_USTACK},
    {.name = "count", .kind = KIND_COUNT},
    {.name = "total_ns", .kind = KIND_NS},
    {.name = "extra", .kind = KIND_COUNT, .optional = true},
    {0},
};

static const struct option_row own[] = {
    CFG_OPTION(struct fake_cfg, limit, 'L', "limit", "N", UNIT_U64, "a number"),
    CFG_OPTION(struct fake_cfg, bytes, 'z', "size", "BYTES", UNIT_SIZE, "a size"),
    CFG_OPTION(struct fake_cfg, name, 256 + 100, "name", "NAME", UNIT_NAME, "a name"),
    CFG_OPTION(struct fake_cfg, number, 'N', "number", "N", UNIT_U32, "a small number"),
    CFG_OPTION(struct fake_cfg, flag, 'F', "flag", NULL, UNIT_FLAG, "a flag"),
    {0},
};

#define ALL (ACCEPT_TASK | ACCEPT_STACKS | ACCEPT_LATENCY | ACCEPT_ROWS | ACCEPT_HOOK)

static const struct tool total = {
    .name = "total",
    .columns = columns,
    .options = own,
    .accepts = ALL,
    .sort = "total_ns",
    .at_interval = AT_TOTAL,
    .layout = {.cfg_size = sizeof(struct fake_cfg), .cfg = &defaults}};
static const struct tool rate = {.name = "rate",
				 .columns = columns,
				 .accepts = ALL,
				 .at_interval = AT_RATE,
				 .interval_ns = 1000000000};
static const struct tool bare = {.name = "bare", .columns = columns};
static const struct tool finder = {
    .name = "finder", .columns = columns, .patterns = true, .at_interval = AT_RATE};

static struct opts opts; /* of the last parse() */
static char said[512];   /* by it */

/* Parses words separated by blanks; "~" in a word stands for a blank. */
static enum status parse(const struct tool *tool, const char *words)
{
	static char text[16384];
	static char *argv[300];
	FILE *catch = tmpfile();
	int argc = 1, before = dup(STDERR_FILENO);
	enum status status;

	assert_true(strlen(words) < sizeof(text));
	strcpy(text, words);
	argv[0] = text + strlen(text);
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	for (int i = 1; i < argc; i++)
		for (char *tilde; (tilde = strchr(argv[i], '~'));)
			*tilde = ' ';
	assert_non_null(catch);
	fflush(stderr);
	dup2(fileno(catch), STDERR_FILENO);
	status = opts_parse(tool, argc, argv, &opts);
	fflush(stderr);
	dup2(before, STDERR_FILENO);
	close(before);
	rewind(catch);
	said[fread(said, 1, sizeof(said) - 1, catch)] = '\0';
	fclose(catch);
	return status;
}

static void taken(const struct tool *tool, const char *words)
{
	enum status status = parse(tool, words);

	if (status != OK)
		print_error("%s %s: %s\n", tool->name, words, said);
	assert_int_equal(status, OK);
	assert_string_equal(said, "");
}

/* Refused with status 2 and one line. */
static void refused(const struct tool *tool, const char *words)
{
	enum status status = parse(tool, words);

	if (status != USAGE)
		print_error("%s %s\n", tool->name, words);
	assert_int_equal(status, USAGE);
	assert_int_equal(strncmp(said, "ktrace: ", 8), 0);
	assert_int_equal(strcspn(said, "\n"), strlen(said) - 1);
}

/* For each call of several separated by '|'. */
static void each(void (*expect)(const struct tool *, const char *), const struct tool *tool,
		 const char *calls)
{
	char *copy = strdup(calls), *rest = copy, *call;

	assert_non_null(copy);
	while ((call = strsep(&rest, "|")))
		expect(tool, call);
	free(copy);
}

static void nothing_said_is_the_default(void **state)
{
	(void)state;
	taken(&total, "");
	assert_ptr_equal(opts.tool, &total);
	assert_int_equal(opts.action, ACTION_RUN);
	assert_int_equal(opts.stack_depth, 127);
	assert_int_equal(opts.ready_fd, -1);
	assert_int_equal(opts.hook, VIA_NONE);
	assert_ptr_equal(opts.sort, &columns[6]);
	assert_int_equal(opts.duration_ns, 0);
	assert_int_equal(opts.interval_ns, 0);
	assert_int_equal(opts.n_outputs, 1);
	assert_ptr_equal(opts.output[0].renderer, &renderer_text);
	assert_null(opts.output[0].path);
	assert_int_equal(((struct fake_cfg *)opts.cfg)->limit, 77);
	taken(&rate, "");
	assert_int_equal(opts.interval_ns, 1000000000);
	assert_null(opts.sort);
}

static void each_letter_means_its_long_name(void **state)
{
	/* Pairs: the letter, and what it is short for. */
	char pairs[] = "-p 1,2|--pid 1,2|-t 3|--tid=3|-C x|--comm x|-u|--user-threads|"
		       "-k|--kernel-threads|-U|--user-stacks|-K|--kernel-stacks|"
		       "-s 3|--stack-depth 3|-m 5|--min 5|-M 5|--max 5|-n 5|--top 5|"
		       "-S count|--sort count|-g comm,tgid|--group-by comm,tgid|"
		       "-d 2|--duration 2|-i 2|--interval 2|-T|--timestamp|"
		       "-o json|--output json|-f|--folded|-f|--output=folded|-j|--json|"
		       "-j|-o json|-v|--verbose|-L3|--limit 3|-z4k|--size 4096|-F|--flag|"
		       "-d 2|2|-vT|-T -v|-h|--help";
	char *rest = pairs, *letter, *name;
	static struct opts first;

	(void)state;
	while ((letter = strsep(&rest, "|")) && (name = strsep(&rest, "|"))) {
		taken(&total, letter);
		first = opts;
		taken(&total, name);
		assert_memory_equal(&first, &opts, sizeof(opts));
		taken(&total, "");
		assert_int_not_equal(memcmp(&first, &opts, sizeof(opts)), 0);
	}
}

static void values_arrive_where_they_belong(void **state)
{
	const struct fake_cfg *cfg = (const struct fake_cfg *)opts.cfg;

	(void)state;
	taken(
	    &total,
	    "-p 7,4194304 -t 9 -C my~task -G /a/b -s 0 -m 10us -M 2ms -n 5 -S comm -d 1.5 -i 0.25 "
	    "--hook raw_tp --btf f --ready-fd 3 --stack-storage-size 10 "
	    "--row-storage-size 20 --unwind check --max-overhead 2.5 --self -L 0x10 -z 1M --name "
	    "abcdefg -N 4294967295 -F");
	assert_int_equal(opts.tgids.n, 2);
	assert_int_equal(opts.tgids.id[1], 4194304);
	assert_int_equal(opts.tids.id[0], 9);
	assert_string_equal(opts.comm, "my task");
	assert_true(opts.by_comm);
	assert_string_equal(opts.cgroup, "/a/b");
	assert_int_equal(opts.stack_depth, 0);
	assert_int_equal(opts.min_ns, 10000);
	assert_int_equal(opts.max_ns, 2000000);
	assert_int_equal(opts.top, 5);
	assert_true(opts.top_given);
	assert_ptr_equal(opts.sort, &columns[0]);
	assert_int_equal(opts.duration_ns, 1500000000);
	assert_int_equal(opts.interval_ns, 250000000);
	assert_int_equal(opts.hook, VIA_RAW_TP);
	assert_string_equal(opts.btf, "f");
	assert_int_equal(opts.ready_fd, 3);
	assert_int_equal(opts.max_stacks, 10);
	assert_int_equal(opts.max_rows, 20);
	assert_int_equal(opts.unwind, UNWIND_CHECK);
	assert_float_equal(opts.max_overhead, 2.5, 0);
	assert_int_equal(opts.self, 1);
	assert_int_equal(cfg->limit, 16);
	assert_int_equal(cfg->bytes, 1 << 20);
	assert_string_equal(cfg->name, "abcdefg");
	assert_int_equal(cfg->number, UINT32_MAX);
	assert_int_equal(cfg->flag, 1);
}

static void numbers_by_position_follow_the_kind_of_tool(void **state)
{
	(void)state;
	taken(&total, "3");
	assert_int_equal(opts.duration_ns, 3000000000);
	assert_int_equal(opts.interval_ns, 0);
	taken(&rate, "0.5 4");
	assert_int_equal(opts.interval_ns, 500000000);
	assert_int_equal(opts.count, 4);
	assert_int_equal(opts.duration_ns, 0);
	each(refused, &total, "3 4|0");
	each(refused, &rate, "1 0|1 x|1 2 3|1 1.5");
}

static void a_tool_refuses_what_has_no_meaning_for_it(void **state)
{
	static const char words[] =
	    "-p 1|-t 1|-C x|-G /|-u|-k|-U|-K|-s 1|-m 1|-M 1|-n 1|-S count|-g comm|"
	    "--hook raw_tp|--btf x|--self|-f|-o folded|--stack-storage-size 1|--row-storage-size "
	    "1|--unwind rules|--max-overhead 1|-L 1";

	(void)state;
	each(taken, &total, words);
	each(refused, &bare, words);
	taken(&bare, "-d 1 -i 1 -T -j -v --ready-fd 1");
}

static void a_long_option_is_spelled_out(void **state)
{
	(void)state;
	each(refused, &total, "--dur 1|--jso|--json=1|--jsonx|--=1|-|--duration|-d|-vd|-Q|-vQ|-?");
}

static void options_may_follow_arguments(void **state)
{
	(void)state;
	setenv("POSIXLY_CORRECT", "1", 1);
	taken(&total, "3 -v -n 2");
	assert_int_equal(opts.duration_ns, 3000000000);
	assert_int_equal(opts.verbose, 1);
	assert_int_equal(opts.top, 2);
}

static void a_command_is_what_follows_two_dashes(void **state)
{
	(void)state;
	taken(&total, "-v 3 -- ls -l --no-such-option 7");
	assert_non_null(opts.command);
	assert_string_equal(opts.command[0], "ls");
	assert_string_equal(opts.command[2], "--no-such-option");
	assert_string_equal(opts.command[3], "7");
	assert_null(opts.command[4]);
	assert_int_equal(opts.duration_ns, 3000000000);
	taken(&total, "-- -x");
	assert_string_equal(opts.command[0], "-x");
	taken(&total, "3");
	assert_null(opts.command);
	each(refused, &total, "-p 1 -- ls|-t 1 -- ls");
}

static void ids_are_checked_one_by_one(void **state)
{
	static char many[4100 * 2 + 8] = "-p 1";

	(void)state;
	each(refused, &total,
	     "-p 0|-p 4194305|-p 1,|-p ,1|-p 1,,2|-p 1,x|-p -1|-p 1;2|"
	     "-t 99999999999999999999999999999");
	for (int i = 1; i < MAX_IDS; i++)
		strcat(many + 2, ",1");
	taken(&total, many);
	assert_int_equal(opts.tgids.n, MAX_IDS);
	refused(&total, strcat(many, ",1"));
}

static void refused_by_name(const struct tool *tool, const char *words)
{
	refused(tool, words);
	assert_non_null(strstr(said, "squid"));
}

static void bad_values_are_refused_and_named(void **state)
{
	(void)state;
	each(refused_by_name, &total,
	     "-d squid|-i squid|-n squid|-m squid|-M squid|-S squid|-g squid|-g comm,squid|"
	     "-o squid|-p squid|-s squid|--hook squid|--ready-fd squid|-L squid|-z squid|"
	     "-N squid|--name squidsquid|squid|--stack-storage-size squid");
	refused(&total, "-S squid");
	assert_non_null(strstr(said, "comm tgid cgroup kstack ustack count total_ns extra"));
}

static void numbers_keep_to_their_range(void **state)
{
	(void)state;
	taken(&total, "-s 127");
	each(refused, &total,
	     "-s 128|-n 0|-n 4294967296|-N 4294967296|-M 0|"
	     "--stack-storage-size 0|-d 0|-C 0123456789abcdef");
	taken(&total, "-C 0123456789abcde");
	taken(&total, "-m 1ms -M 1ms");
	refused(&total, "-m 2ms -M 1ms");
	taken(&total, "-m 2ms");
}

static void what_excludes_each_other_is_refused(void **state)
{
	(void)state;
	each(refused, &total, "-u -k|-U -K|-g count|-S extra|-j -f|-j -o json|-o text -o folded");
}

static void outputs_are_formats_with_files(void **state)
{
	(void)state;
	taken(&total, "-o json=a=b -f -o text=c");
	assert_int_equal(opts.n_outputs, 3);
	assert_ptr_equal(opts.output[0].renderer, &renderer_json);
	assert_string_equal(opts.output[0].path, "a=b");
	assert_ptr_equal(opts.output[1].renderer, &renderer_folded);
	assert_null(opts.output[1].path);
	assert_string_equal(opts.output[2].path, "c");
	each(refused, &total, "-o json=|-o =x|-o jso|-o json1=x");
	taken(&total,
	      "-o json=1 -o json=2 -o json=3 -o json=4 -o json=5 -o json=6 -o json=7 -o json=8");
	refused(&total,
		"-o json=1 -o json=2 -o json=3 -o json=4 -o json=5 -o json=6 -o json=7 -o json=8 "
		"-o json=9");
}

static void help_goes_before_explain(void **state)
{
	(void)state;
	taken(&total, "--explain");
	assert_int_equal(opts.action, ACTION_EXPLAIN);
	taken(&total, "--explain -h");
	assert_int_equal(opts.action, ACTION_HELP);
	taken(&total, "-h --explain");
	assert_int_equal(opts.action, ACTION_HELP);
}

static void patterns_come_before_numbers(void **state)
{
	(void)state;
	taken(&finder, "vfs_* tcp_* 1 5");
	assert_int_equal(opts.n_patterns, 2);
	assert_string_equal(opts.patterns[1], "tcp_*");
	assert_int_equal(opts.interval_ns, 1000000000);
	assert_int_equal(opts.count, 5);
	refused(&finder, "1 5");
	assert_non_null(strstr(said, "needs a pattern"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_said_is_the_default),
	    cmocka_unit_test(each_letter_means_its_long_name),
	    cmocka_unit_test(values_arrive_where_they_belong),
	    cmocka_unit_test(numbers_by_position_follow_the_kind_of_tool),
	    cmocka_unit_test(a_tool_refuses_what_has_no_meaning_for_it),
	    cmocka_unit_test(a_long_option_is_spelled_out),
	    cmocka_unit_test(options_may_follow_arguments),
	    cmocka_unit_test(a_command_is_what_follows_two_dashes),
	    cmocka_unit_test(ids_are_checked_one_by_one),
	    cmocka_unit_test(bad_values_are_refused_and_named),
	    cmocka_unit_test(numbers_keep_to_their_range),
	    cmocka_unit_test(what_excludes_each_other_is_refused),
	    cmocka_unit_test(outputs_are_formats_with_files),
	    cmocka_unit_test(help_goes_before_explain),
	    cmocka_unit_test(patterns_come_before_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
