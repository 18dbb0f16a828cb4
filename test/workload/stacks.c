// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * stacks N [--us U] [--depth D] [--hold]: makes N distinct user stacks and blocks
 * once in each for U us (default 50). They have D calls, by default what N needs. Two functions
 * call each other or themselves by the bits of the stack's number; the return addresses spell the
 * number.
 */
#include "workload.h"

static uint64_t block_ns = 50 * US;

/*
 * Straight to the system call: the C library's wrapper need not keep frame
 * pointers. A timer that fires before the task is off the CPU blocks nobody:
 * then again, for each stack must block.
 */
__attribute__((noinline)) static void block(void)
{
	struct timespec t = {0, (long)block_ns};
	long before = thread_usage().ru_nvcsw;

	do {
		syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &t, NULL);
	} while (thread_usage().ru_nvcsw == before);
	__asm__ volatile("" ::: "memory");
}

static void zero(uint64_t bits, unsigned depth);
static void one(uint64_t bits, unsigned depth);

/* A barrier after each call keeps the frame: no tail call, no merging of the two calls. */
#define STEP(bits, depth)                                         \
	do {                                                      \
		if (!(depth)) {                                   \
			block();                                  \
		} else if ((bits)&1) {                            \
			one((bits) >> 1, (depth)-1);              \
			__asm__ volatile("" ::"i"(1) : "memory"); \
		} else {                                          \
			zero((bits) >> 1, (depth)-1);             \
			__asm__ volatile("" ::"i"(0) : "memory"); \
		}                                                 \
	} while (0)

OWN_FRAME static void zero(uint64_t bits, unsigned depth)
{
	STEP(bits, depth);
	__asm__ volatile("" ::"i"(2) : "memory");
}

OWN_FRAME static void one(uint64_t bits, unsigned depth)
{
	STEP(bits, depth);
	__asm__ volatile("" ::"i"(3) : "memory");
}

int main(int argc, char **argv)
{
	const char *us = take_option(&argc, argv, "--us", true);
	const char *calls = take_option(&argc, argv, "--depth", true);
	bool stay = take_option(&argc, argv, "--hold", false);
	unsigned depth = 1;
	long before;
	uint64_t n;

	if (argc != 2)
		die("usage: stacks N [--us U] [--depth D] [--hold]");
	n = number(argv[1]);
	if (us)
		block_ns = number(us) * US;
	while ((1ull << depth) < n)
		depth++;
	if (calls && number(calls) < depth)
		die("%lu calls are too few for %lu stacks", number(calls), n);
	if (calls)
		depth = (unsigned)number(calls);
	prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
	before = thread_usage().ru_nvcsw;
	for (uint64_t i = 0; i < n; i++)
		STEP(i, depth);
	printf("{\"workload\":\"stacks\",\"ready\":1,\"stacks\":%lu,\"depth\":%u,\"voluntary\":%ld,"
	       "\"tgid\":%d}\n",
	       n, depth, thread_usage().ru_nvcsw - before, (int)getpid());
	if (stay)
		hold();
	return 0;
}
