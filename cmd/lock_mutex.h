/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What mlock and mheld share: the functions that lock a mutex, as rows for their hook tables. */
#ifndef KTRACE_CMD_LOCK_MUTEX_H
#define KTRACE_CMD_LOCK_MUTEX_H

#include "bpf/hooks.h"
#include "bpf/lock.h"
#include "cmd/lock_find.h"
#include "lock.skel.h"

/*
 * _mutex_lock is 5.10's on PREEMPT_RT; *_nested stand in with lock debugging. The rest may
 * be missing from a kernel, and then nothing is to be seen there.
 */
#define FN_LOCK "mutex_lock|_mutex_lock|mutex_lock_nested"
#define FN_IO "mutex_lock_io|_mutex_lock_io|mutex_lock_io_nested"
#define FN_INTERRUPTIBLE                                      \
	"mutex_lock_interruptible|_mutex_lock_interruptible|" \
	"mutex_lock_interruptible_nested"
#define FN_KILLABLE "mutex_lock_killable|_mutex_lock_killable|mutex_lock_killable_nested"
#define FN_TRYLOCK "mutex_trylock|_mutex_trylock|_mutex_trylock_nest_lock"
#define FN_UNLOCK "mutex_unlock|_mutex_unlock"

/* Bits of opts.parts: when mlock walks the stack. */
enum { PART_EARLY = 1 << 0, PART_LATE = 1 << 1 };

/*
 * role_, base, function: where it is entered. MODE_FENTRY, MODE_KPROBE and MODE_CONTENDED are
 * each tool's own numbers.
 */
#define ON_FENTRY(role_, base, fn, ...) \
	HOOK(lock, role_, VIA_FENTRY, base##_fentry, fn, .mode = MODE_FENTRY, ##__VA_ARGS__)
#define ON_KPROBE(role_, base, fn, ...) \
	HOOK(lock, role_, VIA_KPROBE, base##_kprobe, fn, .mode = MODE_KPROBE, ##__VA_ARGS__)

/*
 * The functions that wait for a mutex, and those that only try; ROW is a macro as the above, IO_ROW
 * that of mutex_lock_io().
 */
#define EACH_LOCK(ROW, IO_ROW)                                                              \
	ROW("lock", lock, FN_LOCK),                                                         \
	    ROW("interruptible", interruptible, FN_INTERRUPTIBLE, .when = HOOK_IF_PRESENT), \
	    ROW("killable", killable, FN_KILLABLE, .when = HOOK_IF_PRESENT),                \
	    IO_ROW("io", io, FN_IO, .when = HOOK_IF_PRESENT),                               \
	    ROW("ww", ww, "ww_mutex_lock", .when = HOOK_IF_PRESENT),                        \
	    ROW("ww_interruptible", ww_interruptible, "ww_mutex_lock_interruptible",        \
		.when = HOOK_IF_PRESENT)
#define EACH_TRYLOCK(ROW)                                             \
	ROW("trylock", trylock, FN_TRYLOCK, .when = HOOK_IF_PRESENT), \
	    ROW("ww_trylock", ww_trylock, "ww_mutex_trylock", .when = HOOK_IF_PRESENT)
#define EACH_UNLOCK(ROW)                  \
	ROW("unlock", unlock, FN_UNLOCK), \
	    ROW("ww_unlock", ww_unlock, "ww_mutex_unlock", .when = HOOK_IF_PRESENT)

#define ON_CONTENTION(mode_, end)                                                         \
	HOOKS_ADDRESS(lock, "contention", begin, "lock:contention_begin", .mode = mode_), \
	    HOOKS_ADDRESS(lock, "contention_end", end, "lock:contention_end", .mode = mode_)

/*
 * At its entry a function of arm64 has not stored where it returns to, and the walk begins
 * with its caller's caller.
 */
#ifdef __aarch64__
#define KPROBE_CALLER "; the function that called for the lock is missing from its stack"
#else
#define KPROBE_CALLER ""
#endif
#define KPROBE_NOTE                                                                       \
	"return probes are dropped while too many calls are under way (maxactive): such " \
	"waits are not counted" KPROBE_CALLER

/* The keys of both tools' rows. */
#define LOCK_KEYS                                                     \
	KEY_LOCK(struct lock_key, lock, struct lock_value, object),   \
	    KEY(struct lock_key, kstack, KIND_KSTACK, WANT_KSTACK),   \
	    KEY(struct lock_key, comm, KIND_COMM, WANT_COMM),         \
	    KEY_OPTIONAL(struct lock_key, tgid, KIND_U32, WANT_TGID), \
	    KEY_OPTIONAL(struct lock_key, tid, KIND_U32, WANT_TID),   \
	    KEY_OPTIONAL(struct lock_key, cgroup, KIND_CGROUP, WANT_CGROUP)

/* The innermost frames, so that the first that is left has called for the lock. */
extern const char *const lock_leaf[];

extern const struct option_row lock_options[];

/* --contended? */
bool lock_asks_contended(const struct opts *);
/* Sets opts.parts. Returns OK. */
enum status lock_check(struct opts *);
/* cfg is a struct lock_cfg. Returns OK, or USAGE, said. */
enum status lock_prepare(const struct plan *, void *cfg);
/*
 * Rows, and what goes on at the report: waits or holds up to then, each counted as one and
 * in one more value column. Starts whose id is a lock are holds.
 */
enum status lock_collect(struct session *, struct snapshot *);

/* What is the same of both tools. held_: see struct lock_cfg. */
#define LOCK_TOOL(held_)                                                                       \
	.object = &object_lock, .mode_allowed = mode_allowed, .options = lock_options,         \
	.accepts = ACCEPT_STATS | ACCEPT_TASK | ACCEPT_KSTACK | ACCEPT_LATENCY | ACCEPT_ROWS | \
		   ACCEPT_HOOK | ACCEPT_SAMPLE,                                                \
	.sort = "total_ns", .leaf = lock_leaf, .check = lock_check, .prepare = lock_prepare,   \
	.collect = lock_collect,                                                               \
	.layout = {.cfg_size = sizeof(struct lock_cfg),                                        \
		   .cfg = &(const struct lock_cfg){.held = held_},                             \
		   .key_size = sizeof(struct lock_key),                                        \
		   .value_size = sizeof(struct lock_value)}

#endif
