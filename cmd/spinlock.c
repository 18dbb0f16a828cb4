// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "bpf/hooks.h"
#include "bpf/spin.h"
#include "cmd/lock_find.h"
#include "core/opts.h"
#include "core/plan.h"
#include "spin.skel.h"

enum { FUNCTIONS = 1, TRACEPOINTS };

static const struct mode modes[] = {
    {"functions", NULL},
    {"tracepoints", "of spin locks only waits behind another waiter are seen: not those of one CPU "
		    "for another, and "
		    "none in a virtual machine without paravirtual locks"},
    {0},
};

/* The return is hooked first: an entry whose return is not seen would stay. */
#define SLOWPATH(name, base, functions, when_)                                              \
	HOOK(spin, name " return", VIA_FENTRY, base##_return, functions, .mode = FUNCTIONS, \
	     .when = when_),                                                                \
	    HOOK(spin, name, VIA_FENTRY, base##_entry, functions, .mode = FUNCTIONS,        \
		 .when = when_)

/* On a realtime kernel the slow path does not show the writer of a rwlock that waits for readers.
 */
#define RT_FUNCTION "rtlock_slowlock_locked"

static const struct hook hooks[] = {
    SLOWPATH("spin", native, "native_queued_spin_lock_slowpath|queued_spin_lock_slowpath", 0),
    SLOWPATH("pv spin", pv, "__pv_queued_spin_lock_slowpath", HOOK_IF_PRESENT),
    SLOWPATH("read", read, "queued_read_lock_slowpath", HOOK_IF_PRESENT),
    SLOWPATH("write", write, "queued_write_lock_slowpath", HOOK_IF_PRESENT),
    SLOWPATH("rt", rt, RT_FUNCTION "|rt_spin_lock_slowlock_locked", HOOK_IF_PRESENT),
    HOOKS_EVENT(spin, "rt write end", end, "lock:contention_end", .mode = FUNCTIONS,
		.beside = RT_FUNCTION),
    HOOKS_EVENT(spin, "rt write", begin, "lock:contention_begin", .mode = FUNCTIONS,
		.beside = RT_FUNCTION),
    HOOKS_EVENT(spin, "wait end", end, "lock:contention_end", .mode = TRACEPOINTS),
    HOOKS_EVENT(spin, "wait", begin, "lock:contention_begin", .mode = TRACEPOINTS),
    HOOKS_FOLLOW(spin),
    {0},
};

static const char *const types[] = {
    [SPIN_LOCK] = "spin", [SPIN_READ] = "read",  [SPIN_WRITE] = "write",
    [SPIN_RT] = "rt",     [N_SPIN_TYPES] = NULL,
};

static const struct column columns[] = {
    KEY_LOCK(struct spin_key, lock, struct spin_value, object),
    {.name = "type",
     .kind = KIND_ENUM,
     .key = true,
     .off = offsetof(struct spin_key, type),
     .size = sizeof(uint32_t),
     .want = WANT_LOCK_TYPE,
     .names = types},
    KEY(struct spin_key, kstack, KIND_KSTACK, WANT_KSTACK),
    KEY_RUNNING(struct spin_key, comm, KIND_COMM, WANT_COMM | WANT_CONTEXT),
    KEY_RUNNING_OPTIONAL(struct spin_key, tgid, KIND_U32, WANT_TGID | WANT_CONTEXT),
    KEY_RUNNING_OPTIONAL(struct spin_key, tid, KIND_U32, WANT_TID | WANT_CONTEXT),
    KEY_OPTIONAL(struct spin_key, cgroup, KIND_CGROUP, WANT_CGROUP),
    {.name = "context", .kind = KIND_CONTEXT, .key = true, .optional = true, .want = WANT_CONTEXT},
    VALS_INTERVAL(struct spin_value),
    VAL(struct spin_value, hist_ns, KIND_HIST_NS),
    STATS_MEAN,
    STATS_QUANTILES,
    {0},
};

/* The slow paths themselves, and what calls them: the first frame is who wants the lock. */
static const char *const leaf[] = {
    "_raw_spin_*",  "*queued_spin_*", "queued_read_*", "queued_write_*", "_raw_read_*",
    "_raw_write_*", "__raw_callee_*", "rt_spin_*",     "__rt_spin_*",    "rt_read_*",
    "rt_write_*",   "rtlock_*",       "rwbase_*",      "__rwbase_*",     "do_raw_*",
    "__raw_spin_*", "__raw_read_*",   "__raw_write_*", "virt_spin_*",    NULL,
};

static enum status parse_types(const struct option_row *row, const char *arg, struct opts *opts)
{
	struct spin_cfg *cfg = (struct spin_cfg *)opts->cfg;
	size_t len;
	unsigned i;

	for (;; arg += len + 1) {
		len = strcspn(arg, ",");
		for (i = 0; types[i]; i++)
			if (strlen(types[i]) == len && !strncmp(types[i], arg, len))
				break;
		if (!types[i])
			return fail(USAGE, "--%s takes spin, read, write and rt, not '%.*s'",
				    row->name, (int)len, arg);
		cfg->types |= 1U << i;
		if (!arg[len])
			return OK;
	}
}

static const struct option_row options[] = {
    CFG_OPTION(struct spin_cfg, locks.name, 'L', "lock", "LOCK", UNIT_NAME,
	       "only this lock: a static one's symbol, or an address with 0x"),
    {256 + 100, "type", "LIST", "only these types: spin,read,write,rt", UNIT_CUSTOM,
     .parse = parse_types},
    {0},
};

static enum status prepare(const struct plan *plan, void *cfg)
{
	((struct spin_cfg *)cfg)->functions = plan->mode == FUNCTIONS;
	return lock_find_prepare(&((struct spin_cfg *)cfg)->locks, plan);
}

const struct tool tool_spinlock = {
    .name = "spinlock",
    .summary = "time spent spinning for spin locks and rwlocks, by lock and stack",
    .about =
	"How long each contended acquisition of a spin lock or rwlock spun, from the entry of the\n"
	"slow path to its return; an acquisition that is not contended costs nothing and is not\n"
	"counted. On realtime kernels waits for locks that sleep are of type rt. Where functions\n"
	"cannot be hooked the contention tracepoints are, which miss most waits of two CPUs for\n"
	"one spin lock; the report says so.",
    .example = "-m 10us 10",
    .object = &object_spin,
    .hooks = hooks,
    .modes = modes,
    .columns = columns,
    .options = options,
    .accepts = ACCEPT_STATS | ACCEPT_TASK | ACCEPT_KSTACK | ACCEPT_LATENCY | ACCEPT_ROWS |
	       ACCEPT_HOOK | ACCEPT_SAMPLE,
    .sort = "total_ns",
    .leaf = leaf,
    .layout =
	{
	    .cfg_size = sizeof(struct spin_cfg),
	    .key_size = sizeof(struct spin_key),
	    .value_size = sizeof(struct spin_value),
	    .running_kstack = offsetof(struct spin_key, kstack),
	    .slots = offsetof(struct spin_cfg, slots),
	},
    .prepare = prepare,
};
