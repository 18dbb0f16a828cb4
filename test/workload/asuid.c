// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * asuid UID -- COMMAND...: runs the command as that user and group, with no
 * capability. The program is opened before: it may lie below a directory, such
 * as /root, that the user cannot pass.
 */
#include "workload.h"

#include <fcntl.h>
#include <grp.h>

int main(int argc, char **argv)
{
	char **command;
	uid_t uid;
	int program;

	if (argc < 2)
		die("usage: asuid UID -- COMMAND...");
	uid = (uid_t)number(argv[1]);
	command = command_or_die(argc - 1, argv + 1);
	program = open(command[0], O_PATH | O_CLOEXEC);
	if (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
		die("cannot become %u", uid);
	if (program >= 0)
		fexecve(program, command, environ);
	execvp(command[0], command);
	die("cannot run %s", command[0]);
}
