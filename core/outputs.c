// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static enum status cannot_open(const char *path)
{
	/* A name that cannot be is bad input; what the system refuses is a failure. */
	enum status status =
	    errno == ENOENT || errno == ENOTDIR || errno == EISDIR || errno == ENAMETOOLONG
		? USAGE
		: FAILED;

	return fail(status, "cannot write %s: %s", path, strerror(errno));
}

#define DESCRIPTORS "/proc/self/fd/"

/*
 * A device or a pipe (/dev/null) has no other name to be renamed from, nor has an open file of
 * ours (/dev/stdout): its link would be replaced.
 */
static bool in_place(const char *path)
{
	char to[sizeof(DESCRIPTORS)] = "";
	struct stat st;

	if (readlink(path, to, sizeof(to) - 1) > 0 && !strcmp(to, DESCRIPTORS))
		return true;
	return !stat(path, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

static enum status open_file(struct open_output *output)
{
	struct stat st;
	int fd;

	if (in_place(output->path)) {
		output->file = fopen(output->path, "we");
		return output->file ? OK : cannot_open(output->path);
	}
	if (!stat(output->path, &st) && S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		return cannot_open(output->path);
	}
	if (asprintf(&output->temporary, "%s.XXXXXX", output->path) < 0) {
		output->temporary = NULL;
		return fail(FAILED, "out of memory");
	}
	fd = mkostemp(output->temporary, O_CLOEXEC); /* O_EXCL, mode 0600: stacks tell addresses */
	if (fd < 0) {
		free(output->temporary);
		output->temporary = NULL;
		return cannot_open(output->path);
	}
	output->file = fdopen(fd, "w");
	if (!output->file) {
		close(fd);
		return cannot_open(output->path);
	}
	return OK;
}

static void look_at_terminal(struct outputs *outputs, const struct opts *opts)
{
	bool terminal = isatty(STDOUT_FILENO);
	const char *no_color = getenv("NO_COLOR");
	struct winsize size;

	outputs->style.color = terminal && !(no_color && *no_color);
	outputs->style.clear = terminal && opts->tool->screen && !opts->keep_screen;
	if (terminal && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		outputs->style.width = size.ws_col;
}

enum status outputs_open(struct outputs *outputs, const struct opts *opts)
{
	enum status status = OK;
	unsigned i;

	memset(outputs, 0, sizeof(*outputs));
	outputs->style.timestamp = opts->timestamp;
	outputs->style.verbose = opts->verbose;
	outputs->style.explicit_top = opts->top_given;
	look_at_terminal(outputs, opts);
	for (i = 0; i < opts->n_outputs && !status; i++) {
		struct open_output *output = &outputs->output[outputs->n++];

		output->renderer = opts->output[i].renderer;
		output->path = opts->output[i].path;
		if (output->path)
			status = open_file(output);
		else if (fcntl(STDOUT_FILENO, F_GETFD) < 0)
			status = fail(FAILED, "stdout is closed");
		else
			output->file = stdout;
	}
	return status;
}

enum status outputs_write(struct outputs *outputs, const struct snapshot *snap)
{
	struct style style = outputs->style;
	unsigned i;

	for (i = 0; i < outputs->n; i++) {
		struct open_output *output = &outputs->output[i];

		style.report = outputs->reports;
		style.clear = outputs->style.clear && !output->path;
		style.width = output->path ? 0 : outputs->style.width;
		errno = 0;
		if (output->renderer->render(snap, &style, output->file))
			return fail(FAILED, "out of memory for the report");
		if (fflush(output->file) || ferror(output->file))
			return fail(FAILED, "cannot write %s: %s",
				    output->path ? output->path : "stdout",
				    strerror(errno ? errno : EIO));
	}
	outputs->reports++;
	return OK;
}

static enum status close_file(struct open_output *output)
{
	int failed;

	if (!output->file || output->file == stdout)
		return OK;
	failed = fclose(output->file);
	output->file = NULL;
	return failed ? fail(FAILED, "cannot write %s: %s", output->path, strerror(errno)) : OK;
}

enum status outputs_commit(struct outputs *outputs)
{
	enum status status = OK;
	unsigned i;

	for (i = 0; i < outputs->n && !status; i++) {
		struct open_output *output = &outputs->output[i];

		status = close_file(output);
		if (status || !output->temporary)
			continue;
		if (rename(output->temporary, output->path))
			return fail(FAILED, "cannot write %s: %s", output->path, strerror(errno));
		free(output->temporary);
		output->temporary = NULL;
	}
	return status;
}

void outputs_close(struct outputs *outputs)
{
	unsigned i;

	for (i = 0; i < outputs->n; i++) {
		struct open_output *output = &outputs->output[i];

		if (output->file && output->file != stdout)
			fclose(output->file);
		if (output->temporary) {
			unlink(output->temporary);
			free(output->temporary);
		}
	}
	memset(outputs, 0, sizeof(*outputs));
}
