// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/lock_mutex.h"

enum { MODE_FENTRY = 1, MODE_KPROBE, MODE_CONTENDED };

static const struct mode modes[] = {
    {"every hold (fentry)", NULL},
    {"every hold (kprobe)", KPROBE_NOTE},
    {"contended holds (lock:contended_release)",
     "only holds are seen that began with a wait and ended while another waited; one may "
     "include earlier ones of the same task that nobody waited for"},
    {0},
};

static bool mode_allowed(const struct opts *opts, unsigned mode)
{
	return mode == MODE_CONTENDED || !lock_asks_contended(opts);
}

#define ON_HOLD_FEXIT(role_, base, fn, ...)                                                 \
	HOOK(lock, role_ "_return", VIA_FENTRY, base##_hold_fexit, fn, .mode = MODE_FENTRY, \
	     ##__VA_ARGS__)
#define ON_HOLD_KPROBES(role_, base, fn, ...)                                                   \
	HOOK(lock, role_ "_return", VIA_KPROBE, base##_hold_kretprobe, fn, .mode = MODE_KPROBE, \
	     ##__VA_ARGS__),                                                                    \
	    ON_KPROBE(role_, base, fn, ##__VA_ARGS__)

/* In the order they are attached in: else a hold that ended in between would never end. */
static const struct hook hooks[] = {
    EACH_UNLOCK(ON_FENTRY),
    EACH_LOCK(ON_HOLD_FEXIT, ON_HOLD_FEXIT),
    EACH_TRYLOCK(ON_HOLD_FEXIT),
    EACH_UNLOCK(ON_KPROBE),
    EACH_LOCK(ON_HOLD_KPROBES, ON_HOLD_KPROBES),
    EACH_TRYLOCK(ON_HOLD_KPROBES),
    ON_CONTENTION(MODE_CONTENDED, end),
    HOOKS_ADDRESS(lock, "release", release, "lock:contended_release", .mode = MODE_CONTENDED),
    HOOKS_FOLLOW(lock),
    {0},
};

static const struct column columns[] = {
    LOCK_KEYS,
    VALS_INTERVAL(struct lock_value),
    VAL(struct lock_value, held, KIND_COUNT),
    VAL(struct lock_value, hist_ns, KIND_HIST_NS),
    STATS_MEAN,
    STATS_QUANTILES,
    {0},
};

const struct tool tool_mheld = {
    .name = "mheld",
    .summary = "time that kernel mutexes are held, by lock, acquirer's stack and task",
    .about =
	"From the moment a task has the mutex until it is unlocked, whoever does that: stack and\n"
	"task are the acquirer's. A trylock that succeeds begins a hold; one that fails, or a "
	"wait\n"
	"that a signal ended, does not. A mutex that is held when the report is made counts up to\n"
	"then and is in held; one that was held when tracing began is not seen.",
    .example = "-m 1ms -g lock,comm 10",
    .hooks = hooks,
    .modes = modes,
    .columns = columns,
    LOCK_TOOL(1),
};
