// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Locks that are held for so long, and that others wait for so long.
 *
 * A fight: one thread holds the lock, and lets go T after every waiter, each on
 * a CPU of its own, has said that it goes for it. So every wait lasts T and the
 * few instructions between its saying so and its trying.
 */
#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/spinlock.h>

#include "truth.h"

#define MAX_WAITERS 3
#define ROUND_NS (5 * NSEC_PER_SEC) /* a waiter that does not come in this time never will */

static DEFINE_MUTEX(truth_mutex);
static DEFINE_SPINLOCK(truth_spinlock);
static DEFINE_RAW_SPINLOCK(truth_raw_spinlock);
static DEFINE_RWLOCK(truth_rwlock);

/* hold and release are the holder's, wait is a waiter's: takes it, lets go, returns how long. */
struct lock_ops {
	void (*hold)(void), (*release)(void);
	u64 (*wait)(void);
};

/* barrier(): the call before it is no tail call, so that the function is in the stack. */
#define FIGHTERS(name, lock_it, unlock_it, lock_too, unlock_too) \
	static noinline void truth_hold_##name(void)             \
	{                                                        \
		lock_it;                                         \
		barrier();                                       \
	}                                                        \
	static noinline void truth_release_##name(void)          \
	{                                                        \
		unlock_it;                                       \
		barrier();                                       \
	}                                                        \
	static noinline u64 truth_wait_##name(void)              \
	{                                                        \
		u64 start = ktime_get_ns(), end;                 \
                                                                 \
		lock_too;                                        \
		end = ktime_get_ns();                            \
		unlock_too;                                      \
		return end - start;                              \
	}                                                        \
	static const struct lock_ops name##_ops = {              \
	    .hold = truth_hold_##name,                           \
	    .release = truth_release_##name,                     \
	    .wait = truth_wait_##name,                           \
	}

FIGHTERS(contended_mutex, mutex_lock(&truth_mutex), mutex_unlock(&truth_mutex),
	 mutex_lock(&truth_mutex), mutex_unlock(&truth_mutex));
FIGHTERS(spinlock, spin_lock(&truth_spinlock), spin_unlock(&truth_spinlock),
	 spin_lock(&truth_spinlock), spin_unlock(&truth_spinlock));
FIGHTERS(raw_spinlock, raw_spin_lock(&truth_raw_spinlock), raw_spin_unlock(&truth_raw_spinlock),
	 raw_spin_lock(&truth_raw_spinlock), raw_spin_unlock(&truth_raw_spinlock));
/* Who reads waits for who writes, and the other way round. */
FIGHTERS(read_lock, write_lock(&truth_rwlock), write_unlock(&truth_rwlock),
	 read_lock(&truth_rwlock), read_unlock(&truth_rwlock));
FIGHTERS(write_lock, read_lock(&truth_rwlock), read_unlock(&truth_rwlock),
	 write_lock(&truth_rwlock), write_unlock(&truth_rwlock));

struct fight {
	const struct lock_ops *ops;
	const struct truth_args *args;
	unsigned int round, rounds; /* the holder has the lock in this round */
	atomic_t going, through;    /* waiters that go for it, and that had it: over all rounds */
	bool lost;
	struct truth_sum held;
	struct waiter {
		struct fight *fight;
		struct truth_thread thread;
		struct truth_sum waited;
	} waiters[MAX_WAITERS];
	struct truth_thread holder;
};

/* Spins until so many came. Under a spin lock the holder must not be rescheduled. */
static bool all_came(struct fight *fight, atomic_t *count, unsigned int wanted, bool may_schedule)
{
	u64 end = ktime_get_ns() + ROUND_NS;

	while ((unsigned int)atomic_read(count) < wanted) {
		if (READ_ONCE(fight->lost))
			return false;
		if (ktime_get_ns() > end) {
			WRITE_ONCE(fight->lost, true);
			return false;
		}
		if (may_schedule)
			cond_resched();
		cpu_relax();
	}
	return true;
}

static int truth_holder(void *data)
{
	struct fight *fight = data;
	unsigned int waiters = fight->args->value[TRUTH_WAITERS], round;

	for (round = 1; round <= fight->rounds; round++) {
		u64 start;
		bool fair;

		fight->ops->hold();
		start = ktime_get_ns();
		smp_store_release(&fight->round, round);
		fair = all_came(fight, &fight->going, round * waiters, false);
		if (fair)
			truth_pass_us(fight->args);
		truth_add(&fight->held, ktime_get_ns() - start);
		fight->ops->release();
		if (!fair || !all_came(fight, &fight->through, round * waiters, true))
			break;
	}
	return 0;
}

static int truth_waiter(void *data)
{
	struct waiter *waiter = data;
	struct fight *fight = waiter->fight;
	unsigned int round;

	for (round = 1; round <= fight->rounds; round++) {
		while (smp_load_acquire(&fight->round) < round && !READ_ONCE(fight->lost)) {
			cond_resched();
			cpu_relax();
		}
		if (READ_ONCE(fight->lost))
			break;
		atomic_inc(&fight->going);
		truth_add(&waiter->waited, fight->ops->wait());
		atomic_inc(&fight->through);
	}
	return 0;
}

static int start_fight(struct fight *fight, unsigned int waiters, unsigned int *started)
{
	int err = 0;

	for (*started = 0; *started < waiters; ++*started) {
		struct waiter *waiter = &fight->waiters[*started];

		waiter->fight = fight;
		waiter->thread.run = truth_waiter;
		waiter->thread.data = waiter;
		err = truth_start(&waiter->thread, "truth_waiter", truth_cpu(*started + 1));
		if (err)
			return err;
	}
	fight->holder.run = truth_holder;
	fight->holder.data = fight;
	return truth_start(&fight->holder, "truth_holder", truth_cpu(0));
}

static int fight_out(struct fight *fight, unsigned int waiters)
{
	struct truth_sum waited = {};
	unsigned int i, started;
	int err = start_fight(fight, waiters, &started);

	if (err)
		WRITE_ONCE(fight->lost, true);
	else
		truth_join(&fight->holder);
	for (i = 0; i < started; i++) {
		struct truth_sum *one = &fight->waiters[i].waited;

		truth_join(&fight->waiters[i].thread);
		waited.count += one->count;
		waited.total += one->total;
		waited.max = max(waited.max, one->max);
	}
	truth_say_sum("held", &fight->held);
	truth_say_sum("waited", &waited);
	return fight->lost ? (err ?: -ETIMEDOUT) : 0;
}

static int run_fight(const struct truth_args *args, const struct lock_ops *ops)
{
	static struct fight fight; /* one command at a time */

	memset(&fight, 0, sizeof(fight));
	fight.ops = ops;
	fight.args = args;
	fight.rounds = args->value[TRUTH_N];
	return fight_out(&fight, args->value[TRUTH_WAITERS]);
}

enum mutex_mode { LOCK, INTERRUPTIBLE, KILLABLE, IO, TRYLOCK, TRYFAIL, INTERRUPTED, CONTEND };

static const char *const mutex_modes[] = {
    [LOCK] = "lock",
    [INTERRUPTIBLE] = "interruptible",
    [KILLABLE] = "killable",
    [IO] = "io",
    [TRYLOCK] = "trylock",
    [TRYFAIL] = "tryfail",
    [INTERRUPTED] = "interrupted",
    [CONTEND] = "contend",
    NULL,
};

static noinline int truth_hold_mutex(enum mutex_mode mode)
{
	int err = 0;

	switch (mode) {
	case INTERRUPTIBLE:
		err = mutex_lock_interruptible(&truth_mutex);
		break;
	case KILLABLE:
		err = mutex_lock_killable(&truth_mutex);
		break;
	case IO:
		mutex_lock_io(&truth_mutex);
		break;
	case TRYLOCK:
		err = mutex_trylock(&truth_mutex) ? 0 : -EBUSY;
		break;
	default:
		mutex_lock(&truth_mutex);
	}
	barrier(); /* none of them is a tail call */
	return err;
}

static int hold_alone(const struct truth_args *args)
{
	struct truth_sum held = {};
	unsigned int i;
	int err = 0;

	for (i = 0; i < args->value[TRUTH_N] && !err; i++) {
		err = truth_hold_mutex(args->mode);
		if (!err) {
			u64 start = ktime_get_ns();

			truth_pass_us(args);
			truth_add(&held, ktime_get_ns() - start);
			mutex_unlock(&truth_mutex);
			cond_resched();
		}
	}
	truth_say_sum("held", &held);
	return err;
}

static noinline int truth_fail_trylock(void *data)
{
	const struct truth_args *args = data;
	unsigned int i;

	for (i = 0; i < args->value[TRUTH_N]; i++) {
		if (mutex_trylock(&truth_mutex)) {
			mutex_unlock(&truth_mutex);
			return -EDEADLK;
		}
		truth_pass_us(args);
	}
	return 0;
}

/* A signal that is pending already ends each wait as it begins. */
static noinline int truth_fail_interruptible(void *data)
{
	const struct truth_args *args = data;
	unsigned int i;
	int err = -EINTR;

	allow_signal(SIGUSR1);
	send_sig(SIGUSR1, current, 0);
	for (i = 0; i < args->value[TRUTH_N] && err == -EINTR; i++) {
		err = mutex_lock_interruptible(&truth_mutex);
		truth_pass_us(args);
	}
	if (!err)
		mutex_unlock(&truth_mutex);
	flush_signals(current);
	return err == -EINTR ? 0 : -EDEADLK;
}

/* The writer holds the mutex while another thread fails to get it. */
static int hold_against(const struct truth_args *args, int (*fail)(void *data))
{
	struct truth_sum held = {};
	struct truth_thread thread = {.run = fail, .data = (void *)args};
	u64 start;
	int err;

	mutex_lock(&truth_mutex);
	start = ktime_get_ns();
	err = truth_start(&thread, "truth_failer", -1) ?: truth_join(&thread);
	truth_add(&held, ktime_get_ns() - start);
	mutex_unlock(&truth_mutex);
	truth_say_sum("held", &held);
	truth_say("failed_count", err ? 0 : args->value[TRUTH_N]);
	return err;
}

static int run_mutex(const struct truth_args *args)
{
	switch (args->mode) {
	case TRYFAIL:
		return hold_against(args, truth_fail_trylock);
	case INTERRUPTED:
		return hold_against(args, truth_fail_interruptible);
	case CONTEND:
		return run_fight(args, &contended_mutex_ops);
	default:
		return hold_alone(args);
	}
}

static int run_spin(const struct truth_args *args)
{
	static const struct lock_ops *const ops[] = {
	    &spinlock_ops,
	    &raw_spinlock_ops,
	    &read_lock_ops,
	    &write_lock_ops,
	};

	return run_fight(args, ops[args->mode]);
}

/* Every waiter needs a CPU to itself, and so does the holder. */
static bool lock_allows(const struct truth_args *args)
{
	return truth_time_is_bounded(args) && args->value[TRUTH_WAITERS] < num_online_cpus();
}

static bool mutex_allows(const struct truth_args *args)
{
	return args->mode == CONTEND ? lock_allows(args) : truth_time_is_bounded(args);
}

static const char *const spin_modes[] = {"spin", "raw_spin", "read", "write", NULL};

const struct truth_command truth_lock_commands[] = {
    {
	.name = "mutex",
	.modes = mutex_modes,
	.allows = mutex_allows,
	.run = run_mutex,
	.has_how = true,
	.keys = {{TRUTH_N, 1, 100000, TRUTH_MUST},
		 {TRUTH_US, 0, USEC_PER_SEC, 0},
		 {TRUTH_WAITERS, 1, MAX_WAITERS, 1}},
    },
    {
	.name = "lock",
	.modes = spin_modes,
	.allows = lock_allows,
	.run = run_spin,
	.keys = {{TRUTH_N, 1, 100000, TRUTH_MUST},
		 {TRUTH_US, 0, 20 * USEC_PER_MSEC, 0},
		 {TRUTH_WAITERS, 1, MAX_WAITERS, 1}},
    },
    {},
};
