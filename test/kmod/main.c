// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ktrace_truth: does what it is told in /proc/ktrace_truth, so often, so long and
 * with so much memory as it is told, and says what it did by the kernel's own
 * clock: the truth that a tracer of this kernel must find.
 *
 *   echo 'mutex mode=lock n=10 us=500' >/proc/ktrace_truth && cat /proc/ktrace_truth
 *
 * README.md has the commands. A file in /proc and not in debugfs, since /proc is
 * mounted wherever a test runs. The write does the work, in the writer's task,
 * and returns when all of it is over.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "truth.h"

static const struct truth_command *const tables[] = {
    truth_lock_commands,
    truth_alloc_commands,
    truth_defer_commands,
    truth_block_commands,
};

static const char *const key_names[TRUTH_KEYS] = {
    [TRUTH_N] = "n",
    [TRUTH_US] = "us",
    [TRUTH_DELAY_US] = "delay_us",
    [TRUTH_SIZE] = "size",
    [TRUTH_ORDER] = "order",
    [TRUTH_NODE] = "node",
    [TRUTH_WAITERS] = "waiters",
};

/* Static, and guarded by a bit: the command must neither allocate nor lock what it did not say. */
static unsigned long busy;
static char line[256], answer[1024];
static size_t answer_length;

void truth_say(const char *key, u64 value)
{
	answer_length += scnprintf(answer + answer_length, sizeof(answer) - answer_length,
				   ",\"%s\":%llu", key, value);
}

void truth_say_sum(const char *what, const struct truth_sum *sum)
{
	char key[32];

	snprintf(key, sizeof(key), "%s_count", what);
	truth_say(key, sum->count);
	snprintf(key, sizeof(key), "%s_ns", what);
	truth_say(key, sum->total);
	snprintf(key, sizeof(key), "%s_max_ns", what);
	truth_say(key, sum->max);
}

noinline void truth_busy_ns(u64 ns)
{
	u64 end = ktime_get_ns() + ns;

	while (ktime_get_ns() < end)
		cpu_relax();
}

void truth_pass_us(const struct truth_args *args)
{
	u64 us = args->value[TRUTH_US];

	if (!us)
		return;
	if (args->sleep)
		usleep_range(us, us);
	else
		truth_busy_ns(us * NSEC_PER_USEC);
}

bool truth_time_is_bounded(const struct truth_args *args)
{
	u64 each = args->value[TRUTH_US] + args->value[TRUTH_DELAY_US];

	return args->value[TRUTH_N] * each <= TRUTH_MAX_US;
}

int truth_cpu(unsigned int nth)
{
	int cpu;

	for_each_online_cpu(cpu) if (!nth--) return cpu;
	return -1;
}

static int thread_main(void *data)
{
	struct truth_thread *thread = data;

	thread->ret = thread->run(thread->data);
	complete(&thread->done);
	/* Stays until joined: the module's text may go away after that. */
	for (;;) {
		set_current_state(TASK_IDLE);
		if (kthread_should_stop())
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

int truth_start(struct truth_thread *thread, const char *name, int cpu)
{
	init_completion(&thread->done);
	thread->task = kthread_create(thread_main, thread, "%s", name);
	if (IS_ERR(thread->task))
		return PTR_ERR(thread->task);
	if (cpu >= 0)
		kthread_bind(thread->task, cpu);
	wake_up_process(thread->task);
	return 0;
}

/* kthread_stop() alone would keep a thread that was not yet scheduled from ever running. */
int truth_join(struct truth_thread *thread)
{
	wait_for_completion(&thread->done);
	kthread_stop(thread->task);
	return thread->ret;
}

static int parse_number(const struct truth_command *command, struct truth_args *args,
			const char *key, const char *word)
{
	const struct truth_limits *limits;
	s64 value;

	if (kstrtos64(word, 10, &value))
		return -EINVAL;
	for (limits = command->keys; limits->max; limits++) {
		if (strcmp(key, key_names[limits->key]))
			continue;
		if (value < limits->min || value > limits->max)
			return -EINVAL;
		args->value[limits->key] = value;
		return 0;
	}
	return -EINVAL;
}

static int parse_mode(const struct truth_command *command, struct truth_args *args,
		      const char *word)
{
	for (args->mode = 0; command->modes && command->modes[args->mode]; args->mode++)
		if (!strcmp(word, command->modes[args->mode]))
			return 0;
	return -EINVAL;
}

static int parse_word(const struct truth_command *command, struct truth_args *args, char *word)
{
	char *value = strchr(word, '=');

	if (!value)
		return -EINVAL;
	*value++ = '\0';
	if (!strcmp(word, "mode"))
		return parse_mode(command, args, value);
	if (!strcmp(word, "how") && command->has_how) {
		args->sleep = !strcmp(value, "sleep");
		return args->sleep || !strcmp(value, "busy") ? 0 : -EINVAL;
	}
	if (!strcmp(word, "then") && command->has_then) {
		args->leak = !strcmp(value, "leak");
		args->rcu = command->has_rcu && !strcmp(value, "rcu");
		return args->leak || args->rcu || !strcmp(value, "free") ? 0 : -EINVAL;
	}
	return parse_number(command, args, word, value);
}

static int parse(const struct truth_command *command, struct truth_args *args, char *words)
{
	const struct truth_limits *limits;
	char *word;
	int err;

	memset(args, 0, sizeof(*args));
	for (limits = command->keys; limits->max; limits++)
		args->value[limits->key] = limits->init;
	while ((word = strsep(&words, " "))) {
		err = *word ? parse_word(command, args, word) : 0;
		if (err)
			return err;
	}
	for (limits = command->keys; limits->max; limits++)
		if (args->value[limits->key] < limits->min)
			return -EINVAL;
	return !command->allows || command->allows(args) ? 0 : -EINVAL;
}

static const struct truth_command *find_command(const char *name)
{
	const struct truth_command *command;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tables); i++)
		for (command = tables[i]; command->name; command++)
			if (!strcmp(name, command->name))
				return command;
	return NULL;
}

static int run_line(void)
{
	const struct truth_command *command;
	struct truth_args args;
	char *words = strim(line), *name = strsep(&words, " ");
	u64 start;
	int err;

	command = find_command(name);
	err = command ? parse(command, &args, words) : -EINVAL;
	if (err)
		return err;
	answer_length =
	    scnprintf(answer, sizeof(answer), "{\"workload\":\"ktrace_truth\",\"command\":\"%s\"",
		      command->name);
	if (command->modes)
		answer_length += scnprintf(answer + answer_length, sizeof(answer) - answer_length,
					   ",\"mode\":\"%s\"", command->modes[args.mode]);
	if (command->keys[0].max)
		truth_say("n", args.value[TRUTH_N]);
	start = ktime_get_ns();
	err = command->run(&args);
	truth_say("elapsed_ns", ktime_get_ns() - start);
	answer_length += scnprintf(answer + answer_length, sizeof(answer) - answer_length, "}\n");
	return err;
}

static ssize_t truth_write(struct file *file, const char __user *from, size_t length, loff_t *at)
{
	ssize_t ret;

	if (length >= sizeof(line))
		return -EINVAL;
	if (test_and_set_bit_lock(0, &busy))
		return -EBUSY;
	answer_length = 0;
	ret = -EFAULT;
	if (!copy_from_user(line, from, length)) {
		line[length] = '\0';
		ret = run_line() ?: (ssize_t)length;
	}
	if (ret < 0) /* a command that failed has no truth to tell */
		answer_length = 0;
	clear_bit_unlock(0, &busy);
	return ret;
}

static int truth_show(struct seq_file *file, void *unused)
{
	if (test_and_set_bit_lock(0, &busy))
		return -EBUSY;
	seq_write(file, answer, answer_length);
	clear_bit_unlock(0, &busy);
	return 0;
}

static int truth_open(struct inode *inode, struct file *file)
{
	return single_open(file, truth_show, NULL);
}

static const struct proc_ops truth_ops = {
    .proc_open = truth_open,
    .proc_read = seq_read,
    .proc_lseek = seq_lseek,
    .proc_release = single_release,
    .proc_write = truth_write,
};

static int __init truth_init(void)
{
	int err = truth_alloc_init();

	if (err)
		return err;
	err = truth_defer_init();
	if (err)
		goto no_defer;
	err = -ENOMEM;
	if (!proc_create("ktrace_truth", 0600, NULL, &truth_ops))
		goto no_file;
	return 0;
no_file:
	truth_defer_exit();
no_defer:
	truth_alloc_exit();
	return err;
}

static void __exit truth_exit(void)
{
	remove_proc_entry("ktrace_truth", NULL);
	truth_defer_exit();
	truth_alloc_exit();
}

module_init(truth_init);
module_exit(truth_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("known amounts of kernel work, for the tests of ktrace");
