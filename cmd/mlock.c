// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/lock_mutex.h"

enum { MODE_WAITS = 1, MODE_RETURN, MODE_FENTRY, MODE_KPROBE, MODE_CONTENDED };

static const struct mode modes[] = {
    {"acquisitions that took the time asked for (lock:contention_begin)", NULL},
    {"every acquisition (fexit), how long it took (lock:contention_begin)", NULL},
    {"every acquisition (fentry)", NULL},
    {"every acquisition (kprobe)", KPROBE_NOTE},
    {"contended acquisitions (lock:contention_begin)",
     "only acquisitions that had to wait are seen"},
    {0},
};

/* --min asks for what had to wait. --hook fentry is for functions and nothing else. */
static bool mode_allowed(const struct opts *opts, unsigned mode)
{
	if (mode == MODE_WAITS)
		return opts->min_ns;
	if (mode == MODE_RETURN && opts->hook == VIA_FENTRY)
		return false;
	return mode == MODE_CONTENDED || !lock_asks_contended(opts);
}

#define ON_WAIT_RETURN(role_, base, fn, ...)                                                  \
	HOOK(lock, role_ "_return", VIA_FENTRY, base##_return_fexit, fn, .mode = MODE_RETURN, \
	     ##__VA_ARGS__)
/* The stack is walked where the wait begins or, of the waits that are kept, ends. */
#define ON_WAIT(mode_, role_, base, fn, ...)                                                 \
	HOOK(lock, role_, VIA_FENTRY, base##_fentry, fn, .mode = mode_, .parts = PART_EARLY, \
	     ##__VA_ARGS__),                                                                 \
	    HOOK(lock, role_, VIA_FENTRY, base##_fentry_late, fn, .mode = mode_,             \
		 .parts = PART_LATE, ##__VA_ARGS__),                                         \
	    HOOK(lock, role_ "_return", VIA_FENTRY, base##_fexit, fn, .mode = mode_,         \
		 .parts = PART_EARLY, ##__VA_ARGS__),                                        \
	    HOOK(lock, role_ "_return", VIA_FENTRY, base##_fexit_late, fn, .mode = mode_,    \
		 .parts = PART_LATE, ##__VA_ARGS__)
#define ON_WAIT_FENTRY(...) ON_WAIT(MODE_FENTRY, __VA_ARGS__)
#define ON_WAIT_BESIDE(...) ON_WAIT(MODE_RETURN, __VA_ARGS__)
/*
 * The return first: of two probes on a function the one that came last runs first, and once
 * 5.10 has put its trampoline in place of the return address nobody can walk the stack.
 */
#define ON_WAIT_KPROBES(role_, base, fn, ...)                                              \
	HOOK(lock, role_ "_return", VIA_KPROBE, base##_kretprobe, fn, .mode = MODE_KPROBE, \
	     ##__VA_ARGS__),                                                               \
	    ON_KPROBE(role_, base, fn, ##__VA_ARGS__)

/* mutex_lock_io() calls mutex_lock(), and its entry tells that call from others. */
static const struct hook hooks[] = {
    EACH_LOCK(ON_WAIT_RETURN, ON_WAIT_BESIDE),
    EACH_LOCK(ON_WAIT_FENTRY, ON_WAIT_FENTRY),
    EACH_LOCK(ON_WAIT_KPROBES, ON_WAIT_KPROBES),
    ON_CONTENTION(MODE_WAITS, end),
    ON_CONTENTION(MODE_RETURN, got),
    ON_CONTENTION(MODE_CONTENDED, end),
    HOOKS_FOLLOW(lock),
    {0},
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
	"began. With -m, and with --contended, which sees only what had to wait, nothing is paid\n"
	"where nobody waits (from Linux 5.19 on).",
    .example = "-p 1234 -m 10us 10",
    .hooks = hooks,
    .modes = modes,
    .columns = columns,
    LOCK_TOOL(0),
};
