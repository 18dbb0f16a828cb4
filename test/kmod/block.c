// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The writer asleep, uninterruptibly, so often and so long, until it is woken
 * from the context that was asked for.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/interrupt.h>
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/timer.h>
#include <linux/version.h>
#include <linux/workqueue.h>

#include "truth.h"

static struct task_struct *sleeper;
static bool woken;
static u64 woken_at;

static struct hrtimer wake_hrtimer, tasklet_hrtimer;
static struct timer_list wake_timer;
static struct tasklet_struct wake_tasklet;
static struct delayed_work wake_work;
static DECLARE_COMPLETION(wake_soon);

static void wake(void)
{
	woken_at = ktime_get_ns();
	WRITE_ONCE(woken, true);
	wake_up_process(sleeper);
}

/* Hard, since a realtime kernel would otherwise expire it in a softirq. */
static noinline enum hrtimer_restart truth_wake_hrtimer_fn(struct hrtimer *timer)
{
	wake();
	return HRTIMER_NORESTART;
}

static noinline enum hrtimer_restart truth_schedule_tasklet_fn(struct hrtimer *timer)
{
	tasklet_schedule(&wake_tasklet);
	return HRTIMER_NORESTART;
}

static noinline void truth_wake_tasklet_fn(struct tasklet_struct *tasklet)
{
	wake();
	barrier(); /* no tail call: this function is to be seen in the stack */
}

static noinline void truth_wake_timer_fn(struct timer_list *timer)
{
	wake();
	barrier();
}

static noinline void truth_wake_work_fn(struct work_struct *work)
{
	wake();
	barrier();
}

static noinline int truth_wake_thread_fn(void *data)
{
	const struct truth_args *args = data;
	unsigned int i;

	for (i = 0; i < args->value[TRUTH_N]; i++) {
		wait_for_completion(&wake_soon);
		usleep_range(args->value[TRUTH_US], args->value[TRUTH_US]);
		wake();
	}
	return 0;
}

static void setup_hrtimer(struct hrtimer *timer, enum hrtimer_restart (*fn)(struct hrtimer *))
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
	hrtimer_setup(timer, fn, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
#else
	hrtimer_init(timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	timer->function = fn;
#endif
}

enum block_mode { BY_HRTIMER, BY_THREAD, BY_TIMER, BY_TASKLET, BY_WORK };

static const char *const block_modes[] = {"hrtimer", "thread", "timer", "tasklet", "work", NULL};

static void arm(enum block_mode mode, u64 us)
{
	switch (mode) {
	case BY_HRTIMER:
		hrtimer_start(&wake_hrtimer, ns_to_ktime(us * NSEC_PER_USEC),
			      HRTIMER_MODE_REL_HARD);
		break;
	case BY_THREAD:
		complete(&wake_soon);
		break;
	case BY_TIMER:
		mod_timer(&wake_timer, jiffies + usecs_to_jiffies(us));
		break;
	case BY_TASKLET:
		hrtimer_start(&tasklet_hrtimer, ns_to_ktime(us * NSEC_PER_USEC),
			      HRTIMER_MODE_REL_HARD);
		break;
	case BY_WORK:
		truth_queue(&wake_work, us);
		break;
	}
}

/* to_wake: until somebody woke it; blocked: until it ran again. */
static noinline void truth_block(const struct truth_args *args, struct truth_sum *to_wake,
				 struct truth_sum *blocked)
{
	u64 start;

	WRITE_ONCE(woken, false);
	arm(args->mode, args->value[TRUTH_US]);
	start = ktime_get_ns();
	for (;;) {
		set_current_state(TASK_UNINTERRUPTIBLE);
		if (READ_ONCE(woken))
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	truth_add(blocked, ktime_get_ns() - start);
	truth_add(to_wake, woken_at - start);
}

static void disarm(void)
{
	hrtimer_cancel(&wake_hrtimer);
	hrtimer_cancel(&tasklet_hrtimer);
	tasklet_kill(&wake_tasklet);
	cancel_delayed_work_sync(&wake_work);
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	timer_delete_sync(&wake_timer);
#else
	del_timer_sync(&wake_timer);
#endif
}

static int run_block(const struct truth_args *args)
{
	struct truth_thread thread = {.run = truth_wake_thread_fn, .data = (void *)args};
	struct truth_sum to_wake = {}, blocked = {};
	unsigned long switches;
	unsigned int i;
	int err = 0;

	sleeper = current;
	setup_hrtimer(&wake_hrtimer, truth_wake_hrtimer_fn);
	setup_hrtimer(&tasklet_hrtimer, truth_schedule_tasklet_fn);
	timer_setup(&wake_timer, truth_wake_timer_fn, 0);
	tasklet_setup(&wake_tasklet, truth_wake_tasklet_fn);
	INIT_DELAYED_WORK(&wake_work, truth_wake_work_fn);
	reinit_completion(&wake_soon);
	if (args->mode == BY_THREAD)
		err = truth_start(&thread, "truth_waker", -1);
	if (err)
		return err;
	switches = current->nvcsw;
	for (i = 0; i < args->value[TRUTH_N]; i++)
		truth_block(args, &to_wake, &blocked);
	truth_say("switches", current->nvcsw - switches);
	truth_say_sum("blocked", &blocked);
	truth_say_sum("to_wake", &to_wake);
	disarm();
	return args->mode == BY_THREAD ? truth_join(&thread) : 0;
}

const struct truth_command truth_block_commands[] = {
    {
	.name = "block",
	.modes = block_modes,
	.allows = truth_time_is_bounded,
	.run = run_block,
	.keys = {{TRUTH_N, 1, 10000, TRUTH_MUST}, {TRUTH_US, 500, USEC_PER_SEC, TRUTH_MUST}},
    },
    {},
};
