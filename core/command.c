// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static bool executable(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) && !access(path, X_OK);
}

bool command_find(const char *name, char path[PATH_MAX])
{
	const char *list = getenv("PATH");
	size_t len;

	if (strchr(name, '/'))
		return snprintf(path, PATH_MAX, "%s", name) < PATH_MAX && executable(path);
	for (list = list ? list : "/usr/bin:/bin"; *list; list += len + (list[len] == ':')) {
		len = strcspn(list, ":");
		if (snprintf(path, PATH_MAX, "%.*s/%s", (int)len, list, name) < PATH_MAX &&
		    executable(path))
			return true;
	}
	return false;
}

enum status command_check(char *const *argv)
{
	char path[PATH_MAX];

	if (command_find(argv[0], path))
		return OK;
	return fail(USAGE, "cannot run '%s': no such program", argv[0]);
}

/* In the child. The parent's signal set-up must not reach the command. */
static void become(char *const *argv, int gate, int outcome)
{
	sigset_t none;
	char byte;
	int err;

	if (read(gate, &byte, 1) <
	    0) /* end of file is the sign to go; a dead parent gives it too */
		_exit(127);
	if (getppid() == 1)
		_exit(127);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	execvp(argv[0], argv);
	err = errno;
	if (write(outcome, &err, sizeof(err)) < 0)
		_exit(126);
	_exit(127);
}

enum status command_start(struct command *command, char *const *argv)
{
	int gate[2], outcome[2];

	memset(command, 0, sizeof(*command));
	command->gate = command->outcome = -1;
	if (pipe2(gate, O_CLOEXEC))
		return fail(FAILED, "cannot start '%s': %s", argv[0], strerror(errno));
	if (pipe2(outcome, O_CLOEXEC)) {
		close(gate[0]);
		close(gate[1]);
		return fail(FAILED, "cannot start '%s': %s", argv[0], strerror(errno));
	}
	command->tgid = fork();
	if (!command->tgid) {
		close(gate[1]);
		close(outcome[0]);
		become(argv, gate[0], outcome[1]);
	}
	close(gate[0]);
	close(outcome[1]);
	command->gate = gate[1];
	command->outcome = outcome[0];
	if (command->tgid < 0) {
		command->tgid = 0;
		command_stop(command);
		return fail(FAILED, "cannot start '%s': %s", argv[0], strerror(errno));
	}
	return OK;
}

enum status command_release(struct command *command, const char *name)
{
	int err = 0;
	ssize_t got;

	close(command->gate);
	command->gate = -1;
	do {
		got = read(command->outcome, &err, sizeof(err));
	} while (got < 0 && errno == EINTR);
	close(command->outcome);
	command->outcome = -1;
	return got == sizeof(err) ? fail(FAILED, "cannot run '%s': %s", name, strerror(err)) : OK;
}

bool command_reap(struct command *command, const char *name)
{
	if (!command->tgid)
		return true;
	if (waitpid(command->tgid, &command->wait_status, WNOHANG) != command->tgid)
		return false;
	command->tgid = 0;
	if (WIFSIGNALED(command->wait_status))
		warn("'%s' was ended by signal %d", name, WTERMSIG(command->wait_status));
	else if (WEXITSTATUS(command->wait_status))
		warn("'%s' exited with status %d", name, WEXITSTATUS(command->wait_status));
	return true;
}

void command_stop(struct command *command)
{
	if (command->tgid > 0) {
		kill(command->tgid, SIGTERM);
		if (command->gate >= 0) /* it still waits at the gate, and need not run at all */
			kill(command->tgid, SIGKILL);
		waitpid(command->tgid, NULL, command->gate >= 0 ? 0 : WNOHANG);
	}
	if (command->gate >= 0)
		close(command->gate);
	if (command->outcome >= 0)
		close(command->outcome);
	command->tgid = 0;
	command->gate = command->outcome = -1;
}
