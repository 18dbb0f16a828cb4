// SPDX-License-Identifier: GPL-2.0-or-later
/* The shared options: what each is called, how its argument is read, what goes together. */
#include "core/opts_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/number.h"

static enum status bad_number(const struct option_row *row, const char *arg, int err,
			      const char *what)
{
	if (err == -ERANGE)
		return fail(USAGE, "--%s takes %s; '%s' is out of range", row->name, what, arg);
	return fail(USAGE, "--%s takes %s, not '%s'", row->name, what, arg);
}

static enum status store_number(const struct option_row *row, const char *arg, void *dst)
{
	static const struct {
		int (*read)(const char *, uint64_t *);
		const char *what;
	} how[] = {
	    [UNIT_U32] = {number_u64, "a whole number"},
	    [UNIT_U64] = {number_u64, "a whole number"},
	    [UNIT_TIME] = {number_time_ns, "a time such as 10us, 2ms or 1s"},
	    [UNIT_SECONDS] = {number_seconds_ns, "seconds from 0.001"},
	    [UNIT_SIZE] = {number_bytes, "a size such as 64, 4k or 1M"},
	};
	uint64_t value;
	int err = how[row->unit].read(arg, &value);

	if (!err && (value < row->min || (row->size == sizeof(uint32_t) && value > UINT32_MAX)))
		err = -ERANGE;
	if (err)
		return bad_number(row, arg, err, how[row->unit].what);
	if (row->size == sizeof(uint32_t)) {
		uint32_t narrow = (uint32_t)value;

		memcpy(dst, &narrow, sizeof(narrow));
	} else {
		memcpy(dst, &value, sizeof(value));
	}
	return OK;
}

enum status opts_store(const struct option_row *row, const char *arg, void *dst)
{
	uint8_t one = 1;

	switch (row->unit) {
	case UNIT_FLAG:
		memcpy(dst, &one, sizeof(one));
		return OK;
	case UNIT_NAME:
		if (!*arg || strlen(arg) >= row->size)
			return fail(USAGE, "--%s takes a name of 1 to %u characters, not '%s'",
				    row->name, row->size - 1u, arg);
		memset(dst, 0, row->size);
		memcpy(dst, arg, strlen(arg));
		return OK;
	case UNIT_STRING:
		if (!*arg)
			return fail(USAGE, "--%s takes a name, not an empty one", row->name);
		memcpy(dst, &arg, sizeof(arg));
		return OK;
	default:
		return store_number(row, arg, dst);
	}
}

static enum status parse_ids(const struct option_row *row, const char *arg, struct opts *opts)
{
	struct ids *ids = (struct ids *)((unsigned char *)opts + row->off);
	char word[24];
	uint64_t id;
	size_t len;

	for (;; arg += len + 1) {
		len = strcspn(arg, ",");
		if (!len || len >= sizeof(word))
			return fail(USAGE, "--%s takes numbers separated by commas, not '%s'",
				    row->name, arg);
		memcpy(word, arg, len);
		word[len] = '\0';
		/* pid_max is at most 2^22 (PID_MAX_LIMIT) */
		if (number_u64(word, &id) || !id || id > 1 << 22)
			return fail(USAGE, "--%s takes ids from 1 to %d, not '%s'", row->name,
				    1 << 22, word);
		if (ids->n == MAX_IDS)
			return fail(USAGE, "--%s takes at most %d ids", row->name, MAX_IDS);
		ids->id[ids->n++] = (uint32_t)id;
		if (!arg[len])
			return OK;
	}
}

static enum status parse_comm(const struct option_row *row, const char *arg, struct opts *opts)
{
	opts->by_comm = true;
	return opts_store(
	    &(struct option_row){.name = row->name, .unit = UNIT_NAME, .size = COMM_LEN}, arg,
	    opts->comm);
}

static enum status unknown_column(const struct tool *tool, const char *name)
{
	const struct column *column;
	char names[512] = "";

	for (column = tool->columns; column->name; column++) {
		strncat(names, column == tool->columns ? "" : " ",
			sizeof(names) - strlen(names) - 1);
		strncat(names, column->name, sizeof(names) - strlen(names) - 1);
	}
	return fail(USAGE, "%s has no column '%s'; it has: %s", tool->name, name, names);
}

static enum status parse_sort(const struct option_row *row, const char *arg, struct opts *opts)
{
	(void)row;
	opts->sort = tool_column(opts->tool, arg);
	return opts->sort ? OK : unknown_column(opts->tool, arg);
}

static enum status parse_group(const struct option_row *row, const char *arg, struct opts *opts)
{
	const struct column *column;
	char word[64];
	size_t len;

	for (;; arg += len + 1) {
		len = strcspn(arg, ",");
		if (len >= sizeof(word))
			return fail(USAGE, "--%s takes column names separated by commas",
				    row->name);
		memcpy(word, arg, len);
		word[len] = '\0';
		column = tool_column(opts->tool, word);
		if (!column)
			return unknown_column(opts->tool, word);
		if (!column->key)
			return fail(USAGE, "--%s takes key columns; '%s' is a value", row->name,
				    word);
		if (opts->n_group == MAX_COLUMNS)
			return fail(USAGE, "--%s takes at most %d columns", row->name, MAX_COLUMNS);
		opts->group[opts->n_group++] = column;
		if (!arg[len])
			return OK;
	}
}

static enum status parse_top(const struct option_row *row, const char *arg, struct opts *opts)
{
	opts->top_given = true;
	return opts_store(
	    &(struct option_row){.name = row->name, .unit = UNIT_U32, .size = 4, .min = 1}, arg,
	    &opts->top);
}

static enum status parse_depth(const struct option_row *row, const char *arg, struct opts *opts)
{
	uint64_t depth;

	if (number_u64(arg, &depth) || depth > MAX_DEPTH)
		return fail(USAGE, "--%s takes 0 to %d frames, not '%s'", row->name, MAX_DEPTH,
			    arg);
	opts->stack_depth = (uint32_t)depth;
	return OK;
}

static enum status parse_hook(const struct option_row *row, const char *arg, struct opts *opts)
{
	enum via via;

	for (via = VIA_TP_BTF; via < VIA_ITER; via++)
		if (!strcmp(via_name(via), arg)) {
			opts->hook = via;
			return OK;
		}
	return fail(USAGE,
		    "--%s takes tp_btf, raw_tp, tracepoint, fentry, kprobe, kprobe_multi, uprobe, "
		    "uprobe_multi or uprobe_session, not '%s'",
		    row->name, arg);
}

static enum status add_output(struct opts *opts, const struct renderer *renderer, const char *path)
{
	if (opts->n_outputs == MAX_OUTPUTS)
		return fail(USAGE, "at most %d outputs", MAX_OUTPUTS);
	if ((opts->tool->accepts & renderer->needs) != renderer->needs)
		return fail(USAGE, "%s has no stacks: it cannot print %s", opts->tool->name,
			    renderer->name);
	opts->output[opts->n_outputs].renderer = renderer;
	opts->output[opts->n_outputs++].path = path;
	return OK;
}

static enum status parse_output(const struct option_row *row, const char *arg, struct opts *opts)
{
	const struct renderer *renderer;
	size_t len = strcspn(arg, "=");
	char name[32];

	(void)row;
	snprintf(name, sizeof(name), "%.*s", (int)len, arg);
	renderer = renderer_find(name);
	if (!renderer)
		return fail(USAGE, "unknown format '%s'; there are: text json folded", name);
	if (arg[len] && !arg[len + 1])
		return fail(USAGE, "--output %s= needs the name of a file", name);
	return add_output(opts, renderer, arg[len] ? arg + len + 1 : NULL);
}

static enum status parse_format(const struct option_row *row, const char *arg, struct opts *opts)
{
	(void)arg;
	return add_output(opts, row->key == 'f' ? &renderer_folded : &renderer_json, NULL);
}

static enum status parse_action(const struct option_row *row, const char *arg, struct opts *opts)
{
	(void)arg;
	if (opts->action != ACTION_HELP)
		opts->action = row->key == 'h' ? ACTION_HELP : ACTION_EXPLAIN;
	return OK;
}

static enum status parse_fd(const struct option_row *row, const char *arg, struct opts *opts)
{
	uint64_t fd;

	if (number_u64(arg, &fd) || fd > 1 << 20)
		return fail(USAGE, "--%s takes the number of an open file, not '%s'", row->name,
			    arg);
	opts->ready_fd = (int)fd;
	return OK;
}

/* A decimal number is read as seconds are. */
static enum status parse_percent(const struct option_row *row, const char *arg, struct opts *opts)
{
	uint64_t billionths;

	if (number_seconds_ns(arg, &billionths) || billionths > 100000000000)
		return fail(USAGE, "--%s takes percent from 0.001 to 100, not '%s'", row->name,
			    arg);
	opts->max_overhead = (double)billionths / 1e9;
	return OK;
}

static enum status parse_unwind(const struct option_row *row, const char *arg, struct opts *opts)
{
	static const char *const names[] = {"kernel", "rules", "check"};
	enum unwind unwind;

	for (unwind = UNWIND_KERNEL; unwind <= UNWIND_CHECK; unwind++) {
		if (strcmp(arg, names[unwind]))
			continue;
		opts->unwind = unwind;
		return OK;
	}
	return fail(USAGE, "--%s takes kernel, rules or check, not '%s'", row->name, arg);
}

#define FIELD(field) .off = offsetof(struct opts, field), .size = sizeof(((struct opts *)0)->field)

enum {
	KEY_HOOK = 256,
	KEY_BTF,
	KEY_CAPS,
	KEY_SELF,
	KEY_READY,
	KEY_EXPLAIN,
	KEY_UNWIND,
	KEY_OVERHEAD,
	KEY_SAMPLE,
	KEY_STACKS,
	KEY_ROWS,
	KEY_STATS,
	KEY_MANGLED
};

const struct option_row opts_shared[] = {
    {'p', "pid", "LIST", "only these processes (comma list), their threads included", UNIT_CUSTOM,
     FIELD(tgids), .needs = ACCEPT_TASK, .parse = parse_ids},
    {'t', "tid", "LIST", "only these threads", UNIT_CUSTOM, FIELD(tids), .needs = ACCEPT_TASK,
     .parse = parse_ids},
    {'C', "comm", "NAME", "only tasks of this name", UNIT_CUSTOM, FIELD(comm), .needs = ACCEPT_TASK,
     .parse = parse_comm},
    {'G', "cgroup", "PATH|ID", "only tasks in this cgroup and below it", UNIT_STRING, FIELD(cgroup),
     .needs = ACCEPT_TASK},
    {'u', "user-threads", NULL, "only threads of user processes", UNIT_FLAG, FIELD(user_threads),
     .needs = ACCEPT_TASK},
    {'k', "kernel-threads", NULL, "only kernel threads", UNIT_FLAG, FIELD(kernel_threads),
     .needs = ACCEPT_TASK},
    {'U', "user-stacks", NULL, "only user stacks", UNIT_FLAG, FIELD(user_stacks),
     .needs = ACCEPT_USTACK},
    {'K', "kernel-stacks", NULL, "only kernel stacks", UNIT_FLAG, FIELD(kernel_stacks),
     .needs = ACCEPT_USTACK},
    {'s', "stack-depth", "N", "frames kept of each stack (default 127; 0: no stacks)", UNIT_CUSTOM,
     FIELD(stack_depth), .needs = ACCEPT_KSTACK, .parse = parse_depth},
    {KEY_MANGLED, "no-demangle", NULL, "C++, Rust and D names as they are in the file", UNIT_FLAG,
     FIELD(mangled), .needs = ACCEPT_USTACK},
    {'m', "min", "TIME", "only intervals at least this long: 10us, 2ms, 1s (bare: us)", UNIT_TIME,
     FIELD(min_ns), .needs = ACCEPT_LATENCY},
    {'M', "max", "TIME", "only intervals at most this long", UNIT_TIME, FIELD(max_ns),
     .needs = ACCEPT_LATENCY, .min = 1},
    {'n', "top", "N", "show the first N rows", UNIT_CUSTOM, FIELD(top), .needs = ACCEPT_ROWS,
     .parse = parse_top},
    {'S', "sort", "COLUMN", "sort by this column, descending", UNIT_CUSTOM, FIELD(sort),
     .needs = ACCEPT_ROWS, .parse = parse_sort},
    {'g', "group-by", "COLUMNS", "sum rows over these key columns only", UNIT_CUSTOM, FIELD(group),
     .needs = ACCEPT_ROWS, .parse = parse_group},
    {KEY_STATS, "stats", NULL, "add the mean and, where there is a histogram, p50, p90, p99",
     UNIT_FLAG, FIELD(stats), .needs = ACCEPT_STATS},
    {'d', "duration", "SECONDS", "stop after", UNIT_SECONDS, FIELD(duration_ns)},
    {'i', "interval", "SECONDS", "report every", UNIT_SECONDS, FIELD(interval_ns)},
    {'T', "timestamp", NULL, "print the time on each report", UNIT_FLAG, FIELD(timestamp)},
    {'o', "output", "FORMAT[=FILE]",
     "text (default), json or folded, to stdout or FILE; may be repeated", UNIT_CUSTOM,
     FIELD(output), .parse = parse_output},
    {'f', "folded", NULL, "short for -o folded", UNIT_CUSTOM, FIELD(output), .needs = ACCEPT_KSTACK,
     .parse = parse_format},
    {'j', "json", NULL, "short for -o json", UNIT_CUSTOM, FIELD(output), .parse = parse_format},
    {'v', "verbose", NULL, "addresses, offsets, cost, libbpf's log on stderr", UNIT_FLAG,
     FIELD(verbose)},
    {KEY_HOOK, "hook", "KIND", "force tp_btf, raw_tp, tracepoint, fentry or kprobe", UNIT_CUSTOM,
     FIELD(hook), .needs = ACCEPT_HOOK, .parse = parse_hook},
    {KEY_BTF, "btf", "FILE", "kernel BTF from a file", UNIT_STRING, FIELD(btf),
     .needs = ACCEPT_HOOK},
    {KEY_CAPS, "caps", "FILE", "with --explain: a stored 'ktrace caps' instead of this kernel",
     UNIT_STRING, FIELD(caps)},
    {KEY_SELF, "self", NULL, "do not leave ktrace itself out", UNIT_FLAG, FIELD(self),
     .needs = ACCEPT_TASK},
    {KEY_SAMPLE, "sample", "N",
     "follow one event in N, at random, and count it for N: rows are estimates, for less cost",
     UNIT_U32, FIELD(sample), .needs = ACCEPT_SAMPLE, .min = 1},
    {KEY_OVERHEAD, "max-overhead", "PCT",
     "when tracing takes more than this part of the machine's CPU time in a second, follow fewer "
     "events (as by --sample) where the tool can, and else end the tracing",
     UNIT_CUSTOM, FIELD(max_overhead), .needs = ACCEPT_HOOK, .parse = parse_percent},
    {KEY_UNWIND, "unwind", "HOW",
     "kernel stacks by what was learned from the kernel's unwinder (rules, the default), by the "
     "unwinder alone (kernel), or both, compared (check)",
     UNIT_CUSTOM, FIELD(unwind), .needs = ACCEPT_KSTACK | ACCEPT_HOOK, .parse = parse_unwind},
    {KEY_STACKS, "stack-storage-size", "N",
     "distinct stacks kept; deep ones count once more for each 32 frames", UNIT_U32,
     FIELD(max_stacks), .needs = ACCEPT_KSTACK, .min = 1},
    {KEY_ROWS, "row-storage-size", "N", "rows kept", UNIT_U32, FIELD(max_rows),
     .needs = ACCEPT_ROWS | ACCEPT_HOOK, .min = 1},
    {KEY_READY, "ready-fd", "N", "write one byte to this open file when attached", UNIT_CUSTOM,
     FIELD(ready_fd), .parse = parse_fd},
    {KEY_EXPLAIN, "explain", NULL, "print what would be hooked and why, load nothing", UNIT_CUSTOM,
     FIELD(action), .parse = parse_action},
    {'h', "help", NULL, "this text", UNIT_CUSTOM, FIELD(action), .parse = parse_action},
    {0},
};

static enum status check_outputs(struct opts *opts)
{
	unsigned i, to_stdout = 0;

	if (!opts->n_outputs)
		opts->output[opts->n_outputs++].renderer = &renderer_text;
	for (i = 0; i < opts->n_outputs; i++)
		to_stdout += !opts->output[i].path;
	if (to_stdout > 1)
		return fail(
		    USAGE,
		    "two formats cannot share stdout: give one of them a file (-o json=FILE)");
	return OK;
}

enum status opts_check(struct opts *opts)
{
	const struct tool *tool = opts->tool;
	enum status status = check_outputs(opts);

	if (status)
		return status;
	if (opts->caps && opts->action != ACTION_EXPLAIN)
		return fail(USAGE, "--caps goes with --explain: a trace runs on this kernel");
	if (opts->user_threads && opts->kernel_threads)
		return fail(USAGE, "-u and -k exclude each other");
	if (opts->user_stacks && opts->kernel_stacks)
		return fail(USAGE, "-U and -K exclude each other");
	if (opts->max_ns && opts->min_ns > opts->max_ns)
		return fail(USAGE, "--min is larger than --max: nothing could be shown");
	if (opts->command && (opts->tgids.n || opts->tids.n))
		return fail(USAGE, "a command is followed by itself: leave out -p and -t");
	if (tool->patterns && !opts->n_patterns)
		return fail(USAGE, "%s needs a pattern (see --help)", tool->name);
	if (opts->sort && !opts->sort->key && !opts_shows(opts, opts->sort) && opts->sort->optional)
		return fail(USAGE, "column '%s' is not shown: it cannot be sorted by",
			    opts->sort->name);
	return tool->check ? tool->check(opts) : OK;
}
