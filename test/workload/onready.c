// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * onready [--do SCRIPT] [--signal NAME]... [--gap-ms MS] [--delay-ms MS] [--stall-stdout]
 *         -- COMMAND...
 *
 * Starts COMMAND with descriptor 9 open for --ready-fd, waits for the byte (or,
 * with --delay-ms, that long), runs SCRIPT with sh (its stdout goes to stderr),
 * sends the signals with a gap between them, and ends as COMMAND ended: its exit
 * code, or 128 + the signal that killed it. --stall-stdout gives it a stdout
 * that nobody reads and that is already full. Says on stderr how it went.
 */
#include "workload.h"

#include <fcntl.h>

#define READY_FD 9
#define MAX_SIGNALS 8

static const struct {
	const char *name;
	int number;
} signals[] = {
    {"INT", SIGINT},   {"TERM", SIGTERM}, {"KILL", SIGKILL}, {"HUP", SIGHUP},
    {"PIPE", SIGPIPE}, {"USR1", SIGUSR1}, {"STOP", SIGSTOP}, {"CONT", SIGCONT},
};

static int signal_number(const char *name)
{
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		if (!strcmp(name, signals[i].name))
			return signals[i].number;
	}
	die("unknown signal %s", name);
}

/* A pipe without a byte of room. */
static int full_pipe(void)
{
	static char page[4096];
	int fd[2];

	if (pipe(fd) || fcntl(fd[1], F_SETFL, O_NONBLOCK))
		die("pipe");
	while (write(fd[1], page, sizeof(page)) > 0)
		;
	while (write(fd[1], page, 1) > 0)
		;
	if (fcntl(fd[1], F_SETFL, 0))
		die("fcntl");
	return fd[1];
}

static pid_t start(char **command, int ready, int out)
{
	pid_t pid = fork_or_die();

	if (pid)
		return pid;
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		signal(signals[i].number, SIG_DFL);
	if (dup2(ready, READY_FD) < 0 || (out >= 0 && dup2(out, 1) < 0))
		die("dup2");
	if (ready != READY_FD)
		close(ready);
	execvp(command[0], command);
	die("cannot run %s", command[0]);
}

static void run_script(const char *script)
{
	pid_t pid = fork_or_die();
	int status;

	if (!pid) {
		dup2(2, 1);
		close(READY_FD);
		execl("/bin/sh", "sh", "-c", script, (char *)NULL);
		die("cannot run sh");
	}
	if (waitpid(pid, &status, 0) != pid || status)
		fprintf(stderr, "script ended with status %d\n", status);
}

int main(int argc, char **argv)
{
	const char *script = take_option(&argc, argv, "--do", true), *name;
	const char *gap = take_option(&argc, argv, "--gap-ms", true);
	const char *delay = take_option(&argc, argv, "--delay-ms", true);
	bool stall = take_option(&argc, argv, "--stall-stdout", false);
	int ready[2], status, sig[MAX_SIGNALS], n_signals = 0;
	ssize_t got = 1;
	char byte;
	pid_t pid;

	while (n_signals < MAX_SIGNALS && (name = take_option(&argc, argv, "--signal", true)))
		sig[n_signals++] = signal_number(name);
	if (pipe2(ready, O_CLOEXEC))
		die("pipe");
	pid = start(command_or_die(argc, argv), ready[1], stall ? full_pipe() : -1);
	close(ready[1]);
	if (delay)
		sleep_ns(number(delay) * MS);
	else
		got = read(ready[0], &byte, 1);
	if (script && got == 1)
		run_script(script);
	for (int i = 0; i < n_signals && got == 1; i++) {
		if (i)
			sleep_ns((gap ? number(gap) : 100) * MS);
		kill(pid, sig[i]);
	}
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	fprintf(stderr, "{\"workload\":\"onready\",\"ready\":%d,\"rc\":%d,\"killed_by\":%d}\n",
		got == 1, WIFEXITED(status) ? WEXITSTATUS(status) : -1,
		WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
