// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pipelock THREADS SLEEPS: threads that write a large block to one pipe and read one,
 * without ever blocking on it: what they sleep for is the pipe's mutex, which is held
 * while a block is copied. Ends when they slept so often.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "workload.h"

#define MAX_THREADS 64
#define PIPE_BYTES (1 << 20)
#define BLOCK_BYTES (PIPE_BYTES / 4)

static int ends[2];
static uint64_t sleeps;
static atomic_ullong slept;
static pthread_barrier_t barrier;

static uint64_t slept_by_this_thread(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return (uint64_t)usage.ru_nvcsw;
}

static void *play(void *unused)
{
	char *block = calloc(1, BLOCK_BYTES);
	uint64_t before, now;

	(void)unused;
	if (!block)
		die("memory");
	pthread_barrier_wait(&barrier);
	before = slept_by_this_thread();
	while (atomic_load(&slept) < sleeps) {
		if (write(ends[1], block, BLOCK_BYTES) < 0 && errno != EAGAIN)
			die("write");
		if (read(ends[0], block, BLOCK_BYTES) < 0 && errno != EAGAIN)
			die("read");
		now = slept_by_this_thread();
		atomic_fetch_add(&slept, now - before);
		before = now;
	}
	free(block);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread[MAX_THREADS];
	uint64_t n, i;

	if (argc != 3)
		die("usage: pipelock THREADS SLEEPS");
	n = number(argv[1]);
	sleeps = number(argv[2]);
	if (!n || n > MAX_THREADS)
		die("at most 64 threads");
	if (pipe2(ends, O_NONBLOCK) || fcntl(ends[1], F_SETPIPE_SZ, PIPE_BYTES) < 0 ||
	    pthread_barrier_init(&barrier, NULL, (unsigned)n))
		die("pipe");
	for (i = 0; i < n; i++)
		if (pthread_create(&thread[i], NULL, play, NULL))
			die("thread");
	for (i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
	return 0;
}
