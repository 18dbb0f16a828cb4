// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * renames N [--us U]: takes N different names, and blocks once for U us (default
 * 50) under each. A timer that fires before the task is off the CPU blocks nobody:
 * then again.
 */
#include "workload.h"

int main(int argc, char **argv)
{
	const char *us = take_option(&argc, argv, "--us", true);
	uint64_t n, ns = us ? number(us) * US : 50 * US;
	long before;

	if (argc != 2)
		die("usage: renames N [--us U]");
	n = number(argv[1]);
	before = thread_usage().ru_nvcsw;
	for (uint64_t i = 0; i < n; i++) {
		long blocked;
		char name[16];

		snprintf(name, sizeof(name), "r%07lu", i % 10000000);
		set_comm(name);
		blocked = thread_usage().ru_nvcsw;
		do {
			sleep_ns(ns);
		} while (thread_usage().ru_nvcsw == blocked);
	}
	printf("{\"workload\":\"renames\",\"names\":%lu,\"voluntary\":%ld,\"tgid\":%d}\n", n,
	       thread_usage().ru_nvcsw - before, (int)getpid());
	return 0;
}
