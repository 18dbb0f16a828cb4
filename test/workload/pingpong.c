// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pingpong N [--names A B]: two processes, N round trips over two pipes, pinned
 * to no CPU. Each counts how often it really blocked (voluntary switches), for
 * a reply that comes before the reader sleeps wakes nobody.
 */
#include "workload.h"

struct side {
	const char *name;
	int in, out;
	uint64_t voluntary;
	pid_t pid;
};

static void one_byte(ssize_t n)
{
	if (n != 1)
		die("pipe broke");
}

static void play(struct side *side, uint64_t n, bool first)
{
	char byte = 'x';
	long before;

	set_comm(side->name);
	side->pid = getpid();
	before = thread_usage().ru_nvcsw;
	for (uint64_t i = 0; i < n; i++) {
		if (first)
			one_byte(write(side->out, &byte, 1));
		one_byte(read(side->in, &byte, 1));
		if (!first)
			one_byte(write(side->out, &byte, 1));
	}
	side->voluntary = (uint64_t)(thread_usage().ru_nvcsw - before);
}

int main(int argc, char **argv)
{
	struct side *side = shared_memory(2 * sizeof(*side));
	int there[2], back[2];
	uint64_t n;
	pid_t pid;

	if (argc != 2 && (argc != 5 || strcmp(argv[2], "--names")))
		die("usage: pingpong N [--names A B]");
	n = number(argv[1]);
	if (pipe(there) || pipe(back))
		die("pipe");
	side[0] =
	    (struct side){.name = argc == 5 ? argv[3] : "ping", .in = back[0], .out = there[1]};
	side[1] =
	    (struct side){.name = argc == 5 ? argv[4] : "pong", .in = there[0], .out = back[1]};
	pid = fork_or_die();
	if (!pid) {
		play(&side[1], n, false);
		_exit(0);
	}
	play(&side[0], n, true);
	wait_for(pid);
	printf("{\"workload\":\"pingpong\",\"rounds\":%lu,\"names\":[\"%s\",\"%s\"],"
	       "\"blocked\":[%lu,%lu],\"pids\":[%d,%d]}\n",
	       n, side[0].name, side[1].name, side[0].voluntary, side[1].voluntary,
	       (int)side[0].pid, (int)side[1].pid);
	return 0;
}
