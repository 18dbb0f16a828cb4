// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * relay N MS: three threads. "relay-a" sleeps MS ms and then writes to a pipe that
 * "relay-b" reads; relay-b then writes to an eventfd that "relay-c" reads. N
 * rounds. They begin when both readers sleep. Each says how often it really
 * blocked (voluntary switches).
 */
#include "workload.h"

#include <pthread.h>
#include <sys/eventfd.h>

static uint64_t rounds, pause_ms;
static int pipe_fd[2], event_fd;

static struct runner {
	const char *name;
	void (*step)(void);
	uint64_t blocked;
	volatile pid_t tid;
} runner[3];

static void whole(ssize_t got, size_t wanted)
{
	if (got != (ssize_t)wanted)
		die("relay broke");
}

static void step_a(void)
{
	sleep_ns(pause_ms * MS);
	whole(write(pipe_fd[1], "x", 1), 1);
}

static void step_b(void)
{
	uint64_t one = 1;
	char byte;

	whole(read(pipe_fd[0], &byte, 1), 1);
	whole(write(event_fd, &one, sizeof(one)), sizeof(one));
}

static void step_c(void)
{
	uint64_t n;

	whole(read(event_fd, &n, sizeof(n)), sizeof(n));
}

static void *run(void *arg)
{
	struct runner *me = arg;
	long before;

	set_comm(me->name);
	me->tid = gettid_();
	before = thread_usage().ru_nvcsw;
	for (uint64_t i = 0; i < rounds; i++)
		me->step();
	me->blocked = (uint64_t)(thread_usage().ru_nvcsw - before);
	return NULL;
}

int main(int argc, char **argv)
{
	void (*const steps[])(void) = {step_a, step_b, step_c};
	const char *const names[] = {"relay-a", "relay-b", "relay-c"};
	pthread_t thread[3];

	if (argc != 3)
		die("usage: relay N MS");
	rounds = number(argv[1]);
	pause_ms = number(argv[2]);
	event_fd = eventfd(0, EFD_SEMAPHORE);
	if (event_fd < 0 || pipe(pipe_fd))
		die("eventfd or pipe");
	for (int i = 2; i >= 0; i--) {
		runner[i] = (struct runner){.name = names[i], .step = steps[i]};
		if (pthread_create(&thread[i], NULL, run, &runner[i]))
			die("pthread_create");
		while (i && (!runner[i].tid || state_of(runner[i].tid) != 'S'))
			sleep_ns(MS);
	}
	for (int i = 0; i < 3; i++)
		if (pthread_join(thread[i], NULL))
			die("pthread_join");
	printf("{\"workload\":\"relay\",\"rounds\":%lu,\"tgid\":%d,\"blocked\":[%lu,%lu,%lu],"
	       "\"tids\":[%d,%d,%d]}\n",
	       rounds, (int)getpid(), runner[0].blocked, runner[1].blocked, runner[2].blocked,
	       (int)runner[0].tid, (int)runner[1].tid, (int)runner[2].tid);
	return 0;
}
