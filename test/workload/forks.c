// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * forks CHILDREN SLEEPS MS [--deep]: forks children named "forkkid", each of
 * which sleeps SLEEPS times MS ms; with --deep in a grandchild of its own.
 */
#include "workload.h"

static uint64_t *sum_ns;

static void child(uint64_t i, uint64_t sleeps, uint64_t ms, bool deep)
{
	if (deep) {
		pid_t pid = fork_or_die();

		if (pid) {
			wait_for(pid);
			_exit(0);
		}
	}
	set_comm("forkkid");
	for (uint64_t j = 0; j < sleeps; j++)
		sum_ns[i] += sleep_ns(ms * MS);
	_exit(0);
}

int main(int argc, char **argv)
{
	bool deep = take_option(&argc, argv, "--deep", false);
	uint64_t children, sleeps, ms, total = 0;
	pid_t *pid;

	if (argc != 4)
		die("usage: forks CHILDREN SLEEPS MS [--deep]");
	children = number(argv[1]);
	sleeps = number(argv[2]);
	ms = number(argv[3]);
	sum_ns = shared_memory((children + 1) * sizeof(*sum_ns));
	pid = calloc(children + 1, sizeof(*pid));
	if (!pid)
		die("calloc");
	for (uint64_t i = 0; i < children; i++) {
		pid[i] = fork_or_die();
		if (!pid[i])
			child(i, sleeps, ms, deep);
	}
	for (uint64_t i = 0; i < children; i++) {
		wait_for(pid[i]);
		total += sum_ns[i];
	}
	printf(
	    "{\"workload\":\"forks\",\"children\":%lu,\"count\":%lu,\"sum_ns\":%lu,\"tgid\":%d}\n",
	    children, children * sleeps, total, (int)getpid());
	free(pid);
	return 0;
}
