// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * twowakers N: "kt-target" reads a pipe and an eventfd in turn, N times each,
 * with nothing in between. "kt-piper" fills the one as soon as the target turns
 * to it, "kt-eventer" the other, so wakeups come while it is still about to
 * block, and it blocks again at once. Says how often each read really blocked.
 */
#include "workload.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/eventfd.h>

static uint64_t rounds, blocked[2];
static int pipe_fd[2], event_fd;
static _Atomic uint64_t turn; /* reads begun; odd: of the pipe */

static void whole(ssize_t got, size_t wanted)
{
	if (got != (ssize_t)wanted)
		die("a read or write broke");
}

static void await_turn(uint64_t n)
{
	while (atomic_load(&turn) < n)
		sched_yield();
}

/* Functions of their own: a walk by frame pointers does not see who calls libc's write(). */
__attribute__((noinline)) static void fill_pipe(void)
{
	whole(write(pipe_fd[1], "x", 1), 1);
}

__attribute__((noinline)) static void fill_event(void)
{
	uint64_t one = 1;

	whole(write(event_fd, &one, sizeof(one)), sizeof(one));
}

static void *piper(void *unused)
{
	(void)unused;
	set_comm("kt-piper");
	for (uint64_t i = 0; i < rounds; i++) {
		await_turn(2 * i + 1);
		fill_pipe();
	}
	return NULL;
}

static void *eventer(void *unused)
{
	(void)unused;
	set_comm("kt-eventer");
	for (uint64_t i = 0; i < rounds; i++) {
		await_turn(2 * i + 2);
		fill_event();
	}
	return NULL;
}

/* One read; adds to *count when the thread slept in it. */
static void read_counted(int fd, size_t size, uint64_t *count)
{
	long before = thread_usage().ru_nvcsw;
	uint64_t bytes;

	atomic_fetch_add(&turn, 1);
	whole(read(fd, &bytes, size), size);
	*count += (uint64_t)(thread_usage().ru_nvcsw - before);
}

static void *target(void *unused)
{
	(void)unused;
	set_comm("kt-target");
	for (uint64_t i = 0; i < rounds; i++) {
		read_counted(pipe_fd[0], 1, &blocked[0]);
		read_counted(event_fd, sizeof(uint64_t), &blocked[1]);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	void *(*const roles[])(void *) = {piper, eventer, target};
	pthread_t thread[3];

	if (argc != 2)
		die("usage: twowakers N");
	rounds = number(argv[1]);
	event_fd = eventfd(0, 0);
	if (event_fd < 0 || pipe(pipe_fd))
		die("eventfd or pipe");
	for (int i = 0; i < 3; i++)
		if (pthread_create(&thread[i], NULL, roles[i], NULL))
			die("pthread_create");
	for (int i = 0; i < 3; i++)
		if (pthread_join(thread[i], NULL))
			die("pthread_join");
	printf("{\"workload\":\"twowakers\",\"rounds\":%lu,\"blocked\":[%lu,%lu]}\n", rounds,
	       blocked[0], blocked[1]);
	return 0;
}
