// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * shortlived N [MS] [--kill]: forks and executes itself N times, one after the other. Each child
 * blocks once in block_for_a_while() for MS ms (1), and exits; with --kill by SIGKILL.
 */
#include "workload.h"

__attribute__((noinline)) static void block_for_a_while(uint64_t ms)
{
	sleep_here(ms * MS);
}

__attribute__((noreturn, noinline)) static void child(uint64_t ms, bool by_kill)
{
	block_for_a_while(ms);
	if (by_kill)
		kill(getpid(), SIGKILL);
	_exit(0);
}

static void wait_for_killed(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		die("child %d was not killed", (int)pid);
}

int main(int argc, char **argv)
{
	bool by_kill = take_option(&argc, argv, "--kill", false);
	bool is_child = take_option(&argc, argv, "--child", false);
	char *ms = argc > 2 ? argv[2] : "1";
	uint64_t n, begin = now_ns();

	if (argc < 2 || argc > 3)
		die("usage: shortlived N [MS] [--kill]");
	if (is_child)
		child(number(ms), by_kill);
	n = number(argv[1]);
	for (uint64_t i = 0; i < n; i++) {
		pid_t pid = fork_or_die();

		if (!pid) {
			execl("/proc/self/exe", "shortlived", "--child", "1", ms,
			      by_kill ? "--kill" : NULL, NULL);
			_exit(127);
		}
		if (by_kill)
			wait_for_killed(pid);
		else
			wait_for(pid);
	}
	printf("{\"workload\":\"shortlived\",\"tgid\":%d,\"count\":%llu,\"ns\":%llu}\n", getpid(),
	       (unsigned long long)n, (unsigned long long)(now_ns() - begin));
	return 0;
}
