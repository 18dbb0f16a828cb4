/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command after "--": started, held at a gate until tracing is attached, ended with. */
#ifndef KTRACE_COMMAND_H
#define KTRACE_COMMAND_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "core/fail.h"

struct command {
	pid_t tgid;  /* 0: none, or reaped */
	int gate;    /* closing it lets the command run */
	int outcome; /* errno of a failed exec arrives here, or end of file */
	int wait_status;
};

/* The program that execvp() would take; false: there is none. */
bool command_find(const char *name, char path[PATH_MAX]);
/* Can this be run at all? OK or USAGE, said. Starts nothing. */
enum status command_check(char *const *argv);
/*
 * Forks; the child waits at the gate. Its stdout is our stderr, for reports
 * alone go to stdout. Returns OK or FAILED, said.
 */
enum status command_start(struct command *, char *const *argv);
/* Opens the gate. OK or FAILED, said, when the program could not be executed. */
enum status command_release(struct command *, const char *name);
/* True once the command has ended, which is said where it failed. Never blocks. */
bool command_reap(struct command *, const char *name);
/* Ends what still runs (SIGTERM) and frees. */
void command_stop(struct command *);

#endif
