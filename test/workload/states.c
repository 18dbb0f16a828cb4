// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * states MS: at the same time, for MS ms each, a task in every state that user
 * space can make: "st-sleep" interruptible (S), "st-vfork" uninterruptible (the
 * parent of a vfork waits so: D), "st-stop" stopped (T), and "st-spin0" and
 * "st-spin1" that share one CPU and preempt each other (R).
 */
#include "workload.h"

#include <sched.h>

enum { SLEEP, VFORK, STOP, SPIN0, SPIN1, N_TASKS };

static const char *const names[N_TASKS] = {"st-sleep", "st-vfork", "st-stop", "st-spin0",
					   "st-spin1"};
static struct task {
	uint64_t ns;
	long voluntary, involuntary;
} * task;

static uint64_t period_ns;

/* The child borrows the parent's memory until it is gone: it makes system calls only. */
static void wait_in_vfork(void)
{
	struct timespec t = {.tv_sec = (time_t)(period_ns / 1000000000u),
			     .tv_nsec = (long)(period_ns % 1000000000u)};
	pid_t pid = vfork();

	if (!pid) {
		prctl(PR_SET_NAME, "st-vchild", 0, 0, 0);
		nanosleep(&t, NULL);
		_exit(0);
	}
	if (pid < 0)
		die("vfork");
}

static void spin(void)
{
	uint64_t end = now_ns() + period_ns;
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		die("sched_getaffinity");
	for (int cpu = 0, found = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET(cpu, &set) && found++)
			CPU_CLR(cpu, &set);
	}
	if (sched_setaffinity(0, sizeof(set), &set))
		die("sched_setaffinity");
	while (now_ns() < end)
		;
}

static void live(int i)
{
	struct rusage before, after;
	uint64_t start;

	set_comm(names[i]);
	before = thread_usage();
	start = now_ns();
	if (i == SLEEP)
		sleep_ns(period_ns);
	else if (i == VFORK)
		wait_in_vfork();
	else if (i == STOP)
		raise(SIGSTOP);
	else
		spin();
	task[i].ns = now_ns() - start;
	after = thread_usage();
	task[i].voluntary = after.ru_nvcsw - before.ru_nvcsw;
	task[i].involuntary = after.ru_nivcsw - before.ru_nivcsw;
	_exit(0);
}

int main(int argc, char **argv)
{
	pid_t pid[N_TASKS];

	if (argc != 2)
		die("usage: states MS");
	period_ns = number(argv[1]) * MS;
	task = shared_memory(N_TASKS * sizeof(*task));
	for (int i = 0; i < N_TASKS; i++) {
		pid[i] = fork_or_die();
		if (!pid[i])
			live(i);
	}
	sleep_ns(period_ns);
	kill(pid[STOP], SIGCONT);
	for (int i = 0; i < N_TASKS; i++)
		wait_for(pid[i]);
	printf("{\"workload\":\"states\"");
	for (int i = 0; i < N_TASKS; i++)
		printf(",\"%s\":{\"pid\":%d,\"ns\":%lu,\"voluntary\":%ld,\"involuntary\":%ld}",
		       names[i], (int)pid[i], task[i].ns, task[i].voluntary, task[i].involuntary);
	printf("}\n");
	return 0;
}
