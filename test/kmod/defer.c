// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Works on a workqueue of our own, those of a kthread_worker, and tasklets. All
 * of a command's are queued in one go and run one after the other, so that the
 * nth waits for n others: a delay, besides the one that was asked for, which is
 * known as well.
 */
#include <linux/bottom_half.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/interrupt.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/version.h>
#include <linux/workqueue.h>

#include "truth.h"

#define MAX_JOBS 1000

struct job {
	union {
		struct delayed_work work;
		struct kthread_work kthread_work;
		struct tasklet_struct tasklet;
	};
	u64 queued;
	bool cancelled;
};

enum { WORK_QUEUE, WORK_AGAIN, WORK_CANCEL, WORK_BH, WORK_RESCUE };

static const char *const work_modes[] = {"queue", "again", "cancel", "bh", "rescue", NULL};

static struct workqueue_struct *queue;
static struct workqueue_struct *rescued; /* has a rescuer, runs its works side by side */
static struct job jobs[MAX_JOBS];        /* static: queueing is to allocate nothing */
static const struct truth_args *now;     /* of the command that runs */
static struct truth_sum ran, waited;
static unsigned int left;
static DECLARE_COMPLETION(all_ran);

static DEFINE_SPINLOCK(sums); /* works of mode=rescue run side by side */

static void run_job(struct job *job, u64 start)
{
	u64 delay = start - job->queued;

	truth_pass_us(now);
	spin_lock_bh(&sums);
	truth_add(&waited, delay);
	truth_add(&ran, ktime_get_ns() - start);
	if (!--left)
		complete(&all_ran);
	spin_unlock_bh(&sums);
}

static noinline void truth_work_fn(struct work_struct *work)
{
	run_job(container_of(to_delayed_work(work), struct job, work), ktime_get_ns());
	barrier(); /* no tail call: this function is to be seen in the stack */
}

/* Queues itself while it runs, until it has run as often as it should: left counts this run. */
static noinline void truth_again_fn(struct work_struct *work)
{
	struct job *job = container_of(to_delayed_work(work), struct job, work);
	u64 start = ktime_get_ns();
	struct job this = {.queued = job->queued};

	if (left > 1) {
		job->queued = ktime_get_ns();
		queue_delayed_work(queue, &job->work, 0);
	}
	run_job(&this, start);
	barrier();
}

static noinline void truth_kthread_work_fn(struct kthread_work *work)
{
	run_job(container_of(work, struct job, kthread_work), ktime_get_ns());
	barrier();
}

static noinline void truth_tasklet_fn(struct tasklet_struct *tasklet)
{
	run_job(container_of(tasklet, struct job, tasklet), ktime_get_ns());
	barrier();
}

void truth_queue(struct delayed_work *work, u64 delay_us)
{
	queue_delayed_work(queue, work, usecs_to_jiffies(delay_us));
}

/* The queue of this mode; NULL: this kernel has none. */
static struct workqueue_struct *queue_of_mode(void)
{
	if (now->mode == WORK_RESCUE)
		return rescued;
	if (now->mode != WORK_BH)
		return queue;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
	return system_bh_wq;
#else
	return NULL;
#endif
}

static void queue_job(struct job *job)
{
	unsigned long delay = usecs_to_jiffies(now->value[TRUTH_DELAY_US]);

	job->queued = ktime_get_ns();
	if (now->mode == WORK_RESCUE)
		queue_delayed_work_on(truth_cpu(1), rescued, &job->work, delay);
	else
		queue_delayed_work(queue_of_mode(), &job->work, delay);
}

static noinline void truth_queue_works(unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		INIT_DELAYED_WORK(&jobs[i].work,
				  now->mode == WORK_AGAIN ? truth_again_fn : truth_work_fn);
		jobs[i].cancelled = false;
		queue_job(&jobs[i]);
	}
}

/* Those that do not run yet are cancelled, and some time later queued anew. */
static void cancel_works(unsigned int count)
{
	u64 cancelled = 0;
	unsigned int i;

	for (i = 0; i < count; i++) {
		jobs[i].cancelled = cancel_delayed_work(&jobs[i].work);
		cancelled += jobs[i].cancelled;
	}
	msleep(50);
	for (i = 0; i < count; i++)
		if (jobs[i].cancelled)
			queue_job(&jobs[i]);
	truth_say("cancelled", cancelled);
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
	unsigned int count = args->mode == WORK_AGAIN ? 1 : args->value[TRUTH_N];

	begin(args);
	if (!queue_of_mode())
		return -EOPNOTSUPP;
	truth_queue_works(count);
	if (args->mode == WORK_CANCEL)
		cancel_works(count);
	wait_for_completion(&all_ran);
	while (count--) /* the last one has still to return */
		flush_delayed_work(&jobs[count].work);
	return say_jobs();
}

static int run_kthread_work(const struct truth_args *args)
{
	struct kthread_worker *worker = kthread_create_worker(0, "truth_kworker");
	unsigned int i;

	if (IS_ERR(worker))
		return PTR_ERR(worker);
	wake_up_process(worker->task); /* since 6.14 it is created asleep */
	begin(args);
	for (i = 0; i < args->value[TRUTH_N]; i++) {
		kthread_init_work(&jobs[i].kthread_work, truth_kthread_work_fn);
		jobs[i].queued = ktime_get_ns();
		kthread_queue_work(worker, &jobs[i].kthread_work);
	}
	wait_for_completion(&all_ran);
	kthread_destroy_worker(worker); /* when the last one has returned */
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

/* BH works never sleep. */
static bool work_allows(const struct truth_args *args)
{
	return truth_time_is_bounded(args) && !(args->mode == WORK_BH && args->sleep);
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
	.modes = work_modes,
	.allows = work_allows,
	.run = run_work,
	.has_how = true,
	.keys = {{TRUTH_N, 1, MAX_JOBS, TRUTH_MUST},
		 {TRUTH_US, 0, USEC_PER_SEC, 0},
		 {TRUTH_DELAY_US, 0, USEC_PER_SEC, 0}},
    },
    {
	.name = "kthread_work",
	.allows = truth_time_is_bounded,
	.run = run_kthread_work,
	.has_how = true,
	.keys = {{TRUTH_N, 1, MAX_JOBS, TRUTH_MUST}, {TRUTH_US, 0, USEC_PER_SEC, 0}},
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
	if (!queue)
		return -ENOMEM;
	rescued = alloc_workqueue("ktrace_rescued", WQ_MEM_RECLAIM, 0);
	if (rescued)
		return 0;
	destroy_workqueue(queue);
	return -ENOMEM;
}

void truth_defer_exit(void)
{
	destroy_workqueue(rescued);
	destroy_workqueue(queue);
}
