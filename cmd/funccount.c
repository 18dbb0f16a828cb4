// SPDX-License-Identifier: GPL-2.0-or-later
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/count.h"
#include "bpf/hooks.h"
#include "core/opts.h"
#include "core/pattern.h"
#include "core/session.h"
#include "count.skel.h"

#define TABLE (1u << 13) /* entries for each CPU, with -g comm and the like */
#define WANT_KEYED (WANT_COMM | WANT_TGID | WANT_TID | WANT_CGROUP)

static const struct hook hooks[] = {
    HOOK(count, "functions", VIA_KPROBE_MULTI, many, "kernel functions",
	 .patterns = TARGET_FUNCTION),
    HOOK(count, "functions", VIA_KPROBE, probe, "kernel functions", .patterns = TARGET_FUNCTION),
    HOOK(count, "functions", VIA_KPROBE, probe_copy, "kernel functions",
	 .patterns = TARGET_FUNCTION, .copies = true),
    /* The kernel does not nest a program on a CPU: each event with its own loses the least. */
    HOOK(count, "events", VIA_RAW_TP, event_raw, "tracepoints", .patterns = TARGET_EVENT,
	 .copies = true),
    HOOK(count, "events", VIA_TRACEPOINT, event_tp, "tracepoints", .patterns = TARGET_EVENT),
    HOOK(count, "events", VIA_TRACEPOINT, event_tp_copy, "tracepoints", .patterns = TARGET_EVENT,
	 .copies = true),
    HOOK(count, "syscalls", VIA_TRACEPOINT, syscall_tp, "syscall events",
	 .patterns = TARGET_SYSCALL),
    HOOK(count, "syscalls", VIA_TRACEPOINT, syscall_tp_copy, "syscall events",
	 .patterns = TARGET_SYSCALL, .copies = true),
    HOOK(count, "user", VIA_UPROBE_MULTI, user_many, "user functions", .patterns = TARGET_USER),
    HOOK(count, "user", VIA_UPROBE, user, "user functions", .patterns = TARGET_USER),
    HOOK(count, "user", VIA_UPROBE, user_copy, "user functions", .patterns = TARGET_USER,
	 .copies = true),
    HOOKS_FOLLOW(count),
    {0},
};

static const struct column columns[] = {
    KEY(struct count_key, func, KIND_TARGET, 0),
    KEY_OPTIONAL(struct count_key, cpu, KIND_U32, 0),
    KEY_OPTIONAL(struct count_key, comm, KIND_COMM, WANT_COMM),
    KEY_OPTIONAL(struct count_key, tgid, KIND_U32, WANT_TGID),
    KEY_OPTIONAL(struct count_key, tid, KIND_U32, WANT_TID),
    KEY_OPTIONAL(struct count_key, cgroup, KIND_CGROUP, WANT_CGROUP),
    VAL(struct count_value, count, KIND_COUNT),
    {.name = "rate", .kind = KIND_RATE, .optional = true, .num = "count"},
    {0},
};

static enum status parse_exclude(const struct option_row *row, const char *arg, struct opts *opts)
{
	if (!*arg)
		return fail(USAGE, "--%s takes patterns separated by commas", row->name);
	if (opts->n_excludes == MAX_EXCLUDES)
		return fail(USAGE, "--%s can be given %d times", row->name, MAX_EXCLUDES);
	opts->excludes[opts->n_excludes++] = arg;
	return OK;
}

static enum status parse_by(const struct option_row *row, const char *arg, struct opts *opts)
{
	const struct option_row *group = opts_shared;
	struct option_row named;

	while (group->key != 'g')
		group++;
	named = *group;
	named.name = row->name;
	opts->group[opts->n_group++] = tool_column(opts->tool, "func");
	return group->parse(&named, arg, opts);
}

static enum status parse_rate(const struct option_row *row, const char *arg, struct opts *opts)
{
	(void)arg;
	opts->optional[0] = tool_column(opts->tool, row->name);
	opts->n_optional = 1;
	return OK;
}

enum { KEY_BY = 512, KEY_RATE };

static const struct option_row options[] = {
    {'x', "exclude", "LIST", "leave these out: globs or /regexes/ with commas; may be repeated",
     UNIT_CUSTOM, .parse = parse_exclude},
    {KEY_BY, "by", "COLUMNS", "count each function by cpu, comm, tgid, tid or cgroup too",
     UNIT_CUSTOM, .parse = parse_by},
    {KEY_RATE, "rate", NULL, "with calls per second", UNIT_CUSTOM, .parse = parse_rate},
    {0},
};

/* The patterns' form; what they match is found later. */
static enum status check(struct opts *opts)
{
	struct patterns patterns = {}, excluded = {};
	enum status status = OK;
	unsigned i;

	for (i = 0; i < opts->n_patterns && !status; i++)
		status = patterns_add(&patterns, opts->patterns[i]);
	for (i = 0; i < opts->n_excludes && !status; i++)
		status = patterns_add_list(&excluded, opts->excludes[i]);
	patterns_free(&patterns);
	patterns_free(&excluded);
	return status;
}

static enum status size_table(const struct plan *plan, struct bpf_object *object, void *cfg_)
{
	struct bpf_map *table = bpf_object__find_map_by_name(object, "table");
	uint32_t wanted = plan->opts->max_rows ? plan->opts->max_rows : TABLE, size = 1;

	while (plan->filter.want & WANT_KEYED && size < wanted && size < 1u << 31)
		size *= 2;
	((struct count_cfg *)cfg_)->table_mask = size - 1;
	return table && !bpf_map__set_max_entries(table, size)
		   ? OK
		   : fail(FAILED, "cannot size the table of funccount");
}

/* One CPU's value of an entry, as per-CPU maps are read: each rounded up to 8 bytes. */
static const void *cpu_value(const struct rowset *raw, size_t i, uint32_t cpu, size_t size)
{
	return (const unsigned char *)rowset_value(raw, i) + cpu * size;
}

static int take_counts(const struct rowset *raw, uint32_t cpus, struct rowset *rows)
{
	struct count_key key = {};
	struct count_value value;
	size_t i;

	for (i = 0; i < raw->n; i++)
		for (key.cpu = 0; key.cpu < cpus; key.cpu++) {
			memcpy(&key.func, rowset_key(raw, i), sizeof(key.func));
			memcpy(&value, cpu_value(raw, i, key.cpu, sizeof(value)), sizeof(value));
			if (value.count && rowset_sum(rows, &key, &value))
				return -ENOMEM;
		}
	return 0;
}

static int take_table(const struct rowset *raw, uint32_t cpus, struct rowset *rows)
{
	struct count_entry entry;
	uint32_t cpu;
	size_t i;

	for (i = 0; i < raw->n; i++)
		for (cpu = 0; cpu < cpus; cpu++) {
			memcpy(&entry, cpu_value(raw, i, cpu, sizeof(entry)), sizeof(entry));
			entry.key.cpu = cpu;
			if (entry.ready && entry.count &&
			    rowset_sum(rows, &entry.key, &(struct count_value){entry.count}))
				return -ENOMEM;
		}
	return 0;
}

static enum status collect(struct session *session, struct snapshot *snap)
{
	bool keyed = session->plan->filter.want & WANT_KEYED;
	int cpus = libbpf_num_possible_cpus(), err;
	size_t size = keyed ? sizeof(struct count_entry) : sizeof(struct count_value);
	struct rowset raw,
	    rows = {.key_size = sizeof(struct count_key), .value_size = sizeof(struct count_value)};
	enum status status;

	if (cpus < 1)
		return fail(FAILED, "cannot tell how many CPUs there are");
	status = session_read_map(session, keyed ? "table" : "counts", sizeof(uint32_t),
				  (uint32_t)(size * (size_t)cpus), &raw);
	if (status)
		return status;
	err = keyed ? take_table(&raw, (uint32_t)cpus, &rows)
		    : take_counts(&raw, (uint32_t)cpus, &rows);
	rowset_free(&raw);
	if (err) {
		rowset_free(&rows);
		return fail(FAILED, "out of memory for the report");
	}
	return session_add_rows(session, snap, &rows);
}

static enum status find(const struct plan *plan, struct targets *targets)
{
	return targets_find(targets, plan->opts);
}

const struct tool tool_funccount = {
    .name = "funccount",
    .summary = "calls of functions that match patterns, thousands at a time",
    .about =
	"Patterns, at least one:\n"
	"  vfs_*  tcp_*[ipv6]  [xfs]  /^ext4_.*iget/   functions of the kernel and its modules\n"
	"  t:sched:sched_process_*                     tracepoints\n"
	"  t:syscalls:sys_enter_open*                  system calls\n"
	"  u:c:malloc  u:/usr/bin/bash:read*           functions of a library or program\n"
	"What cannot be traced is skipped, counted, and named with -v. Without INTERVAL there is\n"
	"one report, at the end.",
    .example = "'vfs_*' -x '*lock*' 1 5",
    .object = &object_count,
    .hooks = hooks,
    .columns = columns,
    .options = options,
    .accepts = ACCEPT_TASK | ACCEPT_ROWS | ACCEPT_HOOK,
    .sort = "count",
    .at_interval = AT_RATE,
    .patterns = true,
    .layout =
	{
	    .cfg_size = sizeof(struct count_cfg),
	    .key_size = sizeof(struct count_key),
	    .value_size = sizeof(struct count_value),
	},
    .check = check,
    .find = find,
    .size_maps = size_table,
    .collect = collect,
};
