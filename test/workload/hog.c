// SPDX-License-Identifier: GPL-2.0-or-later
/* hog CPU: keeps a CPU from all threads of lower real-time priority, until killed, 20 s at most. */
#include "workload.h"

#include <sched.h>

int main(int argc, char **argv)
{
	const struct sched_param priority = {.sched_priority = 90};
	uint64_t end = now_ns() + 20000000000u;
	cpu_set_t set;

	if (argc != 2)
		die("usage: hog CPU");
	CPU_ZERO(&set);
	CPU_SET(number(argv[1]), &set);
	if (sched_setaffinity(0, sizeof(set), &set) || sched_setscheduler(0, SCHED_FIFO, &priority))
		die("cannot take CPU %s", argv[1]);
	while (now_ns() < end)
		;
	return 0;
}
