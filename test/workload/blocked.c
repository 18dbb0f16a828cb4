// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * blocked [--for MS]: a thread named "blockreader" stands in read() on a pipe
 * for the whole life of the process. Prints a line with its ids once the thread
 * really sleeps, then stays: for MS ms, or until stdin closes or SIGTERM comes.
 */
#include "workload.h"

#include <pthread.h>

static int pipe_fd[2];
static volatile pid_t reader_tid;

static void *reader(void *unused)
{
	char byte;

	(void)unused;
	set_comm("blockreader");
	reader_tid = gettid_();
	if (read(pipe_fd[0], &byte, 1) >= 0)
		die("read returned");
	return NULL;
}

int main(int argc, char **argv)
{
	const char *ms = take_option(&argc, argv, "--for", true);
	pthread_t thread;

	if (argc != 1)
		die("usage: blocked [--for MS]");
	if (pipe(pipe_fd) || pthread_create(&thread, NULL, reader, NULL))
		die("pipe or thread");
	while (!reader_tid || state_of(reader_tid) != 'S')
		sleep_ns(MS);
	printf("{\"workload\":\"blocked\",\"ready\":1,\"tgid\":%d,\"tid\":%d}\n", (int)getpid(),
	       (int)reader_tid);
	fflush(stdout);
	if (ms)
		sleep_ns(number(ms) * MS);
	else
		hold();
	return 0;
}
