// SPDX-License-Identifier: GPL-2.0-or-later
#include <unistd.h>

#include "bpf/hooks.h"
#include "bpf/numa.h"
#include "core/host.h"
#include "core/opts.h"
#include "core/session.h"
#include "numa.skel.h"

#define ARGUMENTS_8 .param = 6, .param_type = "migrate_mode"
#define ARGUMENTS_7 .param = 5, .param_type = "migrate_mode"
#define NO_TIME                                                                      \
	.when = HOOK_OPTIONAL,                                                       \
	.without = "how long moving took is not seen: this kernel has no event for " \
		   "its beginning, and no hook on the function"
/* Its seven arguments are more than a trampoline takes: no fentry. */
#define HUGE_PAGES                                                                  \
	.when = HOOK_OPTIONAL | HOOK_IF_PRESENT,                                    \
	.without = "huge pages are not counted: this kernel moves them without an " \
		   "event, and there is no hook on the function"

static const struct hook hooks[] = {
    HOOKS_EVENT(numa, "start", start, "migrate:mm_migrate_pages_start", NO_TIME),
    HOOK(numa, "start", VIA_FENTRY, start_fentry, "migrate_misplaced_page", NO_TIME),
    HOOK(numa, "start", VIA_KPROBE, start_kprobe, "migrate_misplaced_page", NO_TIME),
    HOOK(numa, "moved", VIA_TP_BTF, moved_btf, "migrate:mm_migrate_pages", ARGUMENTS_8),
    HOOK(numa, "moved", VIA_TP_BTF, moved_btf_old, "migrate:mm_migrate_pages", ARGUMENTS_7),
    HOOK(numa, "moved", VIA_RAW_TP, moved_raw, "migrate:mm_migrate_pages", ARGUMENTS_8),
    HOOK(numa, "moved", VIA_RAW_TP, moved_raw_old, "migrate:mm_migrate_pages", ARGUMENTS_7),
    HOOK(numa, "moved", VIA_TRACEPOINT, moved_tp, "migrate:mm_migrate_pages"),
    HOOK(numa, "huge_start", VIA_KPROBE, huge_start_kprobe, "migrate_misplaced_transhuge_page",
	 HUGE_PAGES),
    HOOK(numa, "huge_moved", VIA_KPROBE, huge_kprobe, "migrate_misplaced_transhuge_page",
	 HUGE_PAGES),
    HOOKS_FOLLOW(numa),
    {0},
};

static const struct column columns[] = {
    KEY_OPTIONAL(struct numa_key, comm, KIND_COMM, WANT_COMM),
    KEY_OPTIONAL(struct numa_key, tgid, KIND_U32, WANT_TGID),
    KEY_OPTIONAL(struct numa_key, node, KIND_U32, WANT_NODE),
    VAL(struct numa_value, migrations, KIND_COUNT),
    VAL(struct numa_value, failed, KIND_COUNT),
    VAL(struct numa_value, total_ns, KIND_NS),
    {0},
};

static const char *const depends[] = {"numa_balancing", "numa_nodes", NULL};

static enum status prepare(const struct plan *plan, void *cfg)
{
	uint64_t huge_bytes = host_huge_page_bytes();

	(void)plan;
	((struct numa_cfg *)cfg)->huge_pages =
	    (uint32_t)(huge_bytes / (uint64_t)sysconf(_SC_PAGESIZE));
	return OK;
}

/* An interval in which nothing moved is a finding as well: zeros. */
static enum status collect(struct session *session, struct snapshot *snap)
{
	static const struct numa_key no_key;
	static const struct numa_value nothing;
	struct rowset rows;
	enum status status = session_read_rows(session, &rows);

	if (!status)
		status = session_add_rows(session, snap, &rows);
	if (!status && !snap->n_rows && !snap->n_keys)
		status = session_row(session, snap, &no_key, &nothing);
	return status;
}

const struct tool tool_numamove = {
    .name = "numamove",
    .summary = "pages that NUMA balancing moves to where they are used, per interval",
    .about =
	"Pages moved, pages that could not be moved, and the time that took, which is time of the\n"
	"tasks that touched them. -g comm,tgid,node tells whose they are and where they went.\n"
	"Only pages found misplaced count, not those that mbind, compaction or a cpuset move.",
    .example = "-g comm,node 5",
    .object = &object_numa,
    .hooks = hooks,
    .columns = columns,
    .depends = depends,
    .accepts = ACCEPT_TASK | ACCEPT_ROWS | ACCEPT_HOOK,
    .sort = "migrations",
    .at_interval = AT_RATE,
    .interval_ns = 1000000000,
    .layout =
	{
	    .cfg_size = sizeof(struct numa_cfg),
	    .key_size = sizeof(struct numa_key),
	    .value_size = sizeof(struct numa_value),
	},
    .prepare = prepare,
    .collect = collect,
};
