// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/lock_mutex.h"

static const struct mode modes[] = {
    {"every acquisition (fentry)", NULL},
    {"every acquisition (kprobe)", KPROBE_NOTE},
    {"contended acquisitions (lock:contention_begin)",
     "only acquisitions that had to wait are seen"},
    {0},
};

static const struct hook hooks[] = {
    EACH_LOCK(ON_WAIT_FENTRY), EACH_LOCK(ON_WAIT_KPROBES), ON_CONTENTION, HOOKS_FOLLOW(lock), {0},
};

static const struct column columns[] = {
    LOCK_KEYS,
    KEY_OPTIONAL(struct lock_key, owner, KIND_COMM, WANT_OWNER),
    KEY_OPTIONAL(struct lock_key, owner_tgid, KIND_U32, WANT_OWNER),
    KEY_OPTIONAL(struct lock_key, owner_tid, KIND_U32, WANT_OWNER),
    VALS_INTERVAL(struct lock_value),
    VAL(struct lock_value, waiting, KIND_COUNT),
    VAL(struct lock_value, aborted, KIND_COUNT),
    VAL(struct lock_value, hist_ns, KIND_HIST_NS),
    STATS_MEAN,
    STATS_QUANTILES,
    {0},
};

const struct tool tool_mlock = {
    .name = "mlock",
    .summary = "time to get kernel mutexes, by lock, stack and task",
    .about =
	"From the call that locks a mutex until it has the lock: by mutex_lock() and its\n"
	"interruptible, killable, io, nested and ww variants; a trylock takes no time. A wait "
	"that\n"
	"a signal ended is in aborted and not in count; one that goes on when the report is made\n"
	"counts up to then and is in waiting. -g lock,owner says who had the lock when the wait\n"
	"began. --contended is cheaper and sees only what had to wait.",
    .example = "-p 1234 -m 10us 10",
    .hooks = hooks,
    .modes = modes,
    .columns = columns,
    LOCK_TOOL(0),
};
