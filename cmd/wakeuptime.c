// SPDX-License-Identifier: GPL-2.0-or-later
#include "bpf/hooks.h"
#include "bpf/wakeup.h"
#include "cmd/leaf.h"
#include "core/tool.h"
#include "wakeup.skel.h"

static const struct hook hooks[] = {
    HOOKS_SWITCH(wakeup),
    HOOKS_EVENT(wakeup, "waking", waking, "sched:sched_waking"),
    HOOKS_BEGIN(wakeup),
    HOOKS_FOLLOW(wakeup),
    {0},
};

/* In an interrupt the running task is not the waker: those columns are marked running. */
static const struct column columns[] = {
    KEY(struct wakeup_key, target, KIND_COMM, WANT_TARGET),
    KEY_OPTIONAL(struct wakeup_key, target_tgid, KIND_U32, WANT_TARGET_IDS),
    KEY_OPTIONAL(struct wakeup_key, target_tid, KIND_U32, WANT_TARGET_IDS),
    KEY_RUNNING(struct wakeup_key, waker, KIND_COMM, WANT_COMM | WANT_CONTEXT),
    KEY_RUNNING_OPTIONAL(struct wakeup_key, waker_tgid, KIND_U32, WANT_TGID | WANT_CONTEXT),
    KEY_RUNNING_OPTIONAL(struct wakeup_key, waker_tid, KIND_U32, WANT_TID | WANT_CONTEXT),
    {.name = "context", .kind = KIND_CONTEXT, .key = true, .want = WANT_CONTEXT},
    KEY_OPTIONAL(struct wakeup_key, cgroup, KIND_CGROUP, WANT_CGROUP),
    KEY(struct wakeup_key, kstack, KIND_KSTACK, WANT_KSTACK),
    KEY_RUNNING(struct wakeup_key, ustack, KIND_USTACK, WANT_USTACK | WANT_CONTEXT,
		OWNED_BY(struct wakeup_key, waker_tgid)),
    VALS_INTERVAL(struct wakeup_value),
    STATS_MEAN,
    {0},
};

static const char *const leaf[] = {LEAF_WAKE, NULL};

const struct tool tool_wakeuptime = {
    .name = "wakeuptime",
    .summary = "time that threads wait until they are woken, by waker and its stack",
    .about =
	"From the moment a thread gives up its CPU to wait until another wakes it, summed by the\n"
	"thread woken and by who woke it. The waker's context is named: where an interrupt did\n"
	"it the waker is [hardirq], [softirq] or [timer], for the task that happened to run then\n"
	"has nothing to do with it. Filters choose the threads that are woken.",
    .example = "-C mysqld 10",
    .object = &object_wakeup,
    .hooks = hooks,
    .columns = columns,
    .accepts = ACCEPT_STATS | ACCEPT_TASK | ACCEPT_STACKS | ACCEPT_LATENCY | ACCEPT_ROWS |
	       ACCEPT_HOOK | ACCEPT_SAMPLE,
    .sort = "total_ns",
    .leaf = leaf,
    .layout =
	{
	    .cfg_size = sizeof(struct wakeup_cfg),
	    .key_size = sizeof(struct wakeup_key),
	    .value_size = sizeof(struct wakeup_value),
	    .running_kstack = offsetof(struct wakeup_key, kstack),
	    .command_tgid = offsetof(struct wakeup_cfg, command_tgid),
	},
};
