// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * shortlived N [--kill]: forks and executes itself N times, one after the other. Each child
 * blocks once in block_for_a_while() for 1 ms, and exits; with --kill by SIGKILL.
 */
#include "workload.h"

__attribute__((noinline)) static void block_for_a_while(void)
{
	sleep_here(MS);
}

__attribute__((noreturn, noinline)) static void child(const char *how)
{
	block_for_a_while();
	if (*how == 'k')
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
	const char *how = take_option(&argc, argv, "--child", true);
	uint64_t n, begin = now_ns();

	if (how)
		child(how);
	if (argc != 2)
		die("usage: shortlived N [--kill]");
	n = number(argv[1]);
	for (uint64_t i = 0; i < n; i++) {
		pid_t pid = fork_or_die();

		if (!pid) {
			execl("/proc/self/exe", "shortlived", "--child", by_kill ? "kill" : "exit",
			      NULL);
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
