// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libbpf tells which program failed only in its log, and its log callback has
 * no argument of ours: the one place with state outside a struct.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "core/bpf_log.h"

static struct {
	bool verbose;
	char program[64];
	char line[256];
	char error[128];
} log_state;

/* "prog 'NAME': ... failed ..." names the culprit; the first one counts. */
static void note_program(const char *line)
{
	const char *quote = strstr(line, "prog '");
	size_t len;

	if (!quote || log_state.program[0] || !strstr(line, "fail"))
		return;
	quote += strlen("prog '");
	len = strcspn(quote, "'");
	if (len >= sizeof(log_state.program))
		return;
	memcpy(log_state.program, quote, len);
	log_state.program[len] = '\0';
}

/* The verifier's log comes through here too; it is kept out unless asked for. */
static void note_line(const char *line)
{
	size_t len;

	if (log_state.line[0])
		return;
	if (!strncmp(line, "libbpf: ", 8))
		line += 8;
	len = strcspn(line, "\n");
	if (len >= sizeof(log_state.line))
		len = sizeof(log_state.line) - 1;
	memcpy(log_state.line, line, len);
	log_state.line[len] = '\0';
}

static int on_print(enum libbpf_print_level level, const char *format, va_list args)
{
	char line[1024];
	va_list again;

	if (level == LIBBPF_DEBUG)
		return 0;
	va_copy(again, args);
	vsnprintf(line, sizeof(line), format, args);
	if (level == LIBBPF_WARN) {
		note_program(line);
		note_line(line);
	}
	if (log_state.verbose) /* a verifier's log is far longer than a line */
		vfprintf(stderr, format, again);
	va_end(again);
	return 0;
}

void bpf_log_begin(bool verbose)
{
	memset(&log_state, 0, sizeof(log_state));
	log_state.verbose = verbose;
	libbpf_set_print(on_print);
}

const char *bpf_log_strerror(int err)
{
	libbpf_strerror(err, log_state.error, sizeof(log_state.error));
	return log_state.error;
}

const char *bpf_log_program(void)
{
	return log_state.program;
}

const char *bpf_log_line(void)
{
	return log_state.line[0] ? log_state.line : "no detail";
}
