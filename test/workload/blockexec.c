// SPDX-License-Identifier: GPL-2.0-or-later
/* blockexec -- COMMAND...: sleeps once for 50 ms, and becomes COMMAND. */
#include "workload.h"

__attribute__((noinline)) static void block_before_exec(void)
{
	sleep_here(50 * MS);
	__asm__ volatile(""); /* no tail call */
}

int main(int argc, char **argv)
{
	char **command = command_or_die(argc, argv);

	block_before_exec();
	execvp(command[0], command);
	die("cannot run %s", command[0]);
}
