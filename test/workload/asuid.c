// SPDX-License-Identifier: GPL-2.0-or-later
/* asuid UID -- COMMAND...: runs the command as that user and group, with no capability. */
#include "workload.h"

#include <grp.h>

int main(int argc, char **argv)
{
	char **command;
	uid_t uid;

	if (argc < 2)
		die("usage: asuid UID -- COMMAND...");
	uid = (uid_t)number(argv[1]);
	command = command_or_die(argc - 1, argv + 1);
	if (setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
		die("cannot become %u", uid);
	execvp(command[0], command);
	die("cannot run %s", command[0]);
}
