// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fdlock THREADS MS: threads of one process that open and close descriptors as fast as they
 * can for so long, each on a CPU of its own where there are as many. All take the spin lock
 * of the process's file table, so they wait for each other.
 */
#include "workload.h"

#include <pthread.h>
#include <sched.h>

#define MAX_THREADS 64

static uint64_t end_ns;

static void *fight(void *cpu)
{
	uint64_t *closed = calloc(1, sizeof(*closed));
	cpu_set_t set;
	int fd;

	CPU_ZERO(&set);
	CPU_SET((uintptr_t)cpu % (uintptr_t)sysconf(_SC_NPROCESSORS_ONLN), &set);
	sched_setaffinity(0, sizeof(set), &set); /* a CPU that is missing is no matter */
	while (closed && now_ns() < end_ns) {
		for (int i = 0; i < 100; i++, ++*closed) {
			fd = dup(0);
			if (fd < 0 || close(fd))
				die("dup");
		}
	}
	return closed;
}

int main(int argc, char **argv)
{
	pthread_t threads[MAX_THREADS];
	uint64_t n, closed = 0;
	uintptr_t i;

	if (argc != 3)
		die("usage: fdlock THREADS MS");
	n = number(argv[1]);
	if (!n || n > MAX_THREADS)
		die("1 to %d threads", MAX_THREADS);
	end_ns = now_ns() + number(argv[2]) * MS;
	for (i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, fight, (void *)i))
			die("pthread_create");
	for (i = 0; i < n; i++) {
		uint64_t *one;

		if (pthread_join(threads[i], (void **)&one) || !one)
			die("pthread_join");
		closed += *one;
		free(one);
	}
	printf("{\"workload\":\"fdlock\",\"threads\":%llu,\"closed\":%llu}\n",
	       (unsigned long long)n, (unsigned long long)closed);
	return 0;
}
