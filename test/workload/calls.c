// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * calls COUNT [THREADS]: each of THREADS threads (1) calls calls_often() COUNT times,
 * calls_seldom() once and getppid() COUNT times. The program never calls calls_never().
 */
#include "workload.h"

#include <pthread.h>

static uint64_t count;

__attribute__((noinline, used)) void calls_often(uint64_t i);
__attribute__((noinline, used)) void calls_seldom(void);
__attribute__((noinline, used)) void calls_never(void);

void calls_often(uint64_t i)
{
	__asm__ volatile("" : : "r"(i) : "memory");
}

void calls_seldom(void)
{
	__asm__ volatile("" : : : "memory");
}

void calls_never(void)
{
	__asm__ volatile("" : : : "memory");
}

static void *call(void *unused)
{
	for (uint64_t i = 0; i < count; i++) {
		calls_often(i);
		getppid();
	}
	calls_seldom();
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t thread[64];
	uint64_t threads = 1;

	if (argc < 2 || argc > 3)
		die("usage: calls COUNT [THREADS]");
	count = number(argv[1]);
	if (argc == 3)
		threads = number(argv[2]);
	if (!threads || threads > 64)
		die("1 to 64 threads");
	for (uint64_t i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, call, NULL))
			die("pthread_create");
	for (uint64_t i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	printf("{\"workload\":\"calls\",\"count\":%lu,\"threads\":%lu,\"tgid\":%d}\n",
	       count * threads, threads, (int)getpid());
	return 0;
}
