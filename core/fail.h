/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors: message and exit status are one expression, `return fail(...)`, so
 * that no error path can end with status 0.
 */
#ifndef KTRACE_FAIL_H
#define KTRACE_FAIL_H

/* Exit statuses, fixed by the contract (docs/DESIGN.md). */
enum status {
	OK = 0,
	FAILED = 1, /* it went wrong, and was said */
	USAGE = 2,  /* the words of the call are off; nothing was changed */
	CANNOT = 3, /* this kernel or these privileges cannot */
};

/* Prints "ktrace: MESSAGE" as one line on stderr and returns status. */
enum status fail(enum status status, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), warn_unused_result));

/* The same line for what is worth saying and stops nothing. */
void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
