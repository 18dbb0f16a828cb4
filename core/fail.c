/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages on stderr. They may quote what the traced system or the caller
 * named, so they are escaped like any other text.
 */
#include "core/fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/fmt.h"

static void say(const char *fmt, va_list args)
{
	char *message = NULL, *safe = NULL;
	size_t size = 0;
	FILE *f;

	if (vasprintf(&message, fmt, args) < 0)
		message = NULL;
	f = message ? open_memstream(&safe, &size) : NULL;
	if (f) {
		fmt_put_text(f, message);
		if (fclose(f) != 0) {
			free(safe);
			safe = NULL;
		}
	}
	/* One call, so that lines of several processes on one terminal stay whole. */
	fprintf(stderr, "ktrace: %s\n", safe ? safe : "out of memory");
	free(safe);
	free(message);
}

enum status fail(enum status status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(fmt, args);
	va_end(args);
	return status;
}

void warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(fmt, args);
	va_end(args);
}
