// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Works on a workqueue of our own, and tasklets. All of a command's are queued
 * in one go and run one after the other, so that the nth waits for n others:
 * a delay, besides the one that was asked for, which is known as well.
 */
#include <linux/bottom_half.h>
#include <linux/interrupt.h>
#include <linux/jiffies.h>
#include <linux/workqueue.h>

#include "truth.h"

#define MAX_JOBS 1000

struct job {
	union {
		struct delayed_work work;
		struct tasklet_struct tasklet;
	};
	u64 queued;
};

static struct workqueue_struct *queue;
static struct job jobs[MAX_JOBS];    /* static: queueing is to allocate nothing */
static const struct truth_args *now; /* of the command that runs */
static struct truth_sum ran, waited;
static unsigned int left;
static DECLARE_COMPLETION(all_ran);

/* One job at a time runs, so that the sums need no lock. */
static void run_job(struct job *job)
{
	u64 start = ktime_get_ns();

	truth_add(&waited, start - job->queued);
	truth_pass_us(now);
	truth_add(&ran, ktime_get_ns() - start);
	if (!--left)
		complete(&all_ran);
}

static noinline void truth_work_fn(struct work_struct *work)
{
	run_job(container_of(to_delayed_work(work), struct job, work));
	barrier(); /* no tail call: this function is to be seen in the stack */
}

static noinline void truth_tasklet_fn(struct tasklet_struct *tasklet)
{
	run_job(container_of(tasklet, struct job, tasklet));
	barrier();
}

void truth_queue(struct delayed_work *work, u64 delay_us)
{
	queue_delayed_work(queue, work, usecs_to_jiffies(delay_us));
}

static noinline void truth_queue_works(unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		INIT_DELAYED_WORK(&jobs[i].work, truth_work_fn);
		jobs[i].queued = ktime_get_ns();
		truth_queue(&jobs[i].work, now->value[TRUTH_DELAY_US]);
	}
}

/* With softirqs off, none of them runs before the last one is scheduled. */
static noinline void truth_schedule_tasklets(unsigned int count)
{
	unsigned int i;

	local_bh_disable();
	for (i = 0; i < count; i++) {
		tasklet_setup(&jobs[i].tasklet, truth_tasklet_fn);
		jobs[i].queued = ktime_get_ns();
		if (now->mode)
			tasklet_hi_schedule(&jobs[i].tasklet);
		else
			tasklet_schedule(&jobs[i].tasklet);
	}
	local_bh_enable();
}

static void begin(const struct truth_args *args)
{
	now = args;
	left = args->value[TRUTH_N];
	memset(&ran, 0, sizeof(ran));
	memset(&waited, 0, sizeof(waited));
	reinit_completion(&all_ran);
}

static int say_jobs(void)
{
	truth_say_sum("ran", &ran);
	truth_say_sum("delay", &waited);
	return 0;
}

static int run_work(const struct truth_args *args)
{
	begin(args);
	truth_queue_works(args->value[TRUTH_N]);
	wait_for_completion(&all_ran);
	flush_workqueue(queue); /* the last one has still to return */
	return say_jobs();
}

static int run_tasklet(const struct truth_args *args)
{
	unsigned int i;

	begin(args);
	truth_schedule_tasklets(args->value[TRUTH_N]);
	wait_for_completion(&all_ran);
	for (i = 0; i < args->value[TRUTH_N]; i++)
		tasklet_kill(&jobs[i].tasklet);
	return say_jobs();
}

/* They run with the CPU's other softirqs waiting, in one go. */
static bool tasklet_allows(const struct truth_args *args)
{
	return args->value[TRUTH_N] * args->value[TRUTH_US] <= 2 * (s64)USEC_PER_SEC;
}

static const char *const tasklet_modes[] = {"normal", "hi", NULL};

const struct truth_command truth_defer_commands[] = {
    {
	.name = "work",
	.allows = truth_time_is_bounded,
	.run = run_work,
	.has_how = true,
	.keys = {{TRUTH_N, 1, MAX_JOBS, TRUTH_MUST},
		 {TRUTH_US, 0, USEC_PER_SEC, 0},
		 {TRUTH_DELAY_US, 0, USEC_PER_SEC, 0}},
    },
    {
	.name = "tasklet",
	.modes = tasklet_modes,
	.allows = tasklet_allows,
	.run = run_tasklet,
	.keys = {{TRUTH_N, 1, MAX_JOBS, TRUTH_MUST}, {TRUTH_US, 0, 20 * USEC_PER_MSEC, 0}},
    },
    {},
};

int truth_defer_init(void)
{
	queue = alloc_ordered_workqueue("ktrace_truth_wq", 0);
	return queue ? 0 : -ENOMEM;
}

void truth_defer_exit(void)
{
	destroy_workqueue(queue);
}
