// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/loader.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/command.h"

#define SCRIPTS_MAX 4 /* interpreters of interpreters; the kernel's own limit */
#define SEGMENTS_MAX 64

struct listing {
	int (*each)(void *arg, const char *path);
	void *arg;
};

/* The interpreter that the program's PT_INTERP names; false: it has none. */
static bool elf_interpreter(int fd, char interpreter[PATH_MAX])
{
	Elf64_Ehdr head;
	Elf64_Phdr segment;
	ssize_t got;
	int i;

	if (pread(fd, &head, sizeof(head), 0) != sizeof(head) ||
	    memcmp(head.e_ident, ELFMAG, SELFMAG) || head.e_ident[EI_CLASS] != ELFCLASS64 ||
	    head.e_phentsize != sizeof(segment))
		return false;
	for (i = 0; i < head.e_phnum && i < SEGMENTS_MAX; i++) {
		if (pread(fd, &segment, sizeof(segment),
			  (off_t)(head.e_phoff + (uint64_t)i * sizeof(segment))) != sizeof(segment))
			return false;
		if (segment.p_type != PT_INTERP || segment.p_filesz >= PATH_MAX)
			continue;
		got = pread(fd, interpreter, segment.p_filesz, (off_t)segment.p_offset);
		interpreter[got > 0 ? got : 0] = '\0';
		return *interpreter == '/';
	}
	return false;
}

/* "#! /usr/bin/python3 -u" names the program that runs the file; false: it is no script. */
static bool script_interpreter(int fd, char interpreter[PATH_MAX])
{
	char line[256];
	ssize_t got = pread(fd, line, sizeof(line) - 1, 0);
	char *begin;

	if (got < 2 || memcmp(line, "#!", 2))
		return false;
	line[got] = '\0';
	begin = line + 2 + strspn(line + 2, " \t");
	snprintf(interpreter, PATH_MAX, "%.*s", (int)strcspn(begin, " \t\n"), begin);
	return *interpreter == '/';
}

/* "NAME => /path (0x7f...)", "/path (0x...)", "NAME: /path (0x...)": the path, or NULL. */
static char *line_path(char *line)
{
	char *path = strstr(line, "=> /"), *end = strstr(line, " (0x");

	if (!path)
		path = strchr(line, '/');
	else
		path += 3;
	if (!path || !end || end < path)
		return NULL;
	*end = '\0';
	return path;
}

static void become_loader(const char *interpreter, const char *program, int out)
{
	int nowhere = open("/dev/null", O_RDWR);

	dup2(out, STDOUT_FILENO);
	if (nowhere >= 0) {
		dup2(nowhere, STDIN_FILENO);
		dup2(nowhere, STDERR_FILENO);
	}
	execl(interpreter, interpreter, "--list", program, (char *)NULL);
	_exit(127);
}

static int read_listing(const struct listing *listing, FILE *in)
{
	char *line = NULL, *path;
	size_t room = 0;
	int err = 0;

	while (getline(&line, &room, in) > 0) { /* to its end, so that the loader can write */
		path = err ? NULL : line_path(line);
		if (path)
			err = listing->each(listing->arg, path);
	}
	free(line);
	return err;
}

/* What ldd(1) does. */
static int run_loader(const struct listing *listing, const char *interpreter, const char *program)
{
	int ends[2], err;
	FILE *in;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	child = fork();
	if (!child)
		become_loader(interpreter, program, ends[1]);
	close(ends[1]);
	in = fdopen(ends[0], "re");
	err = child < 0 || !in ? -errno : read_listing(listing, in);
	if (in)
		fclose(in);
	else
		close(ends[0]);
	if (child > 0)
		waitpid(child, NULL, 0);
	return err;
}

static int list_program(const struct listing *listing, char path[PATH_MAX], int scripts)
{
	char interpreter[PATH_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (elf_interpreter(fd, interpreter)) {
		err = listing->each(listing->arg, path);
		if (!err)
			err = listing->each(listing->arg, interpreter);
		if (!err)
			err = run_loader(listing, interpreter, path);
	} else if (scripts < SCRIPTS_MAX && script_interpreter(fd, interpreter)) {
		err = list_program(listing, interpreter, scripts + 1);
	} else {
		err = listing->each(listing->arg, path);
	}
	close(fd);
	return err;
}

int loader_files(const char *command, int (*each)(void *arg, const char *path), void *arg)
{
	const struct listing listing = {each, arg};
	char path[PATH_MAX];

	return command_find(command, path) ? list_program(&listing, path, 0) : -ENOENT;
}
