// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/load.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* State letter of "tid (comm) X ..."; the name may hold parentheses and blanks. 0: gone. */
static char thread_state(int dir, const char *tid)
{
	char path[32], line[512], *paren;
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "%.20s/stat", tid);
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	got = read(fd, line, sizeof(line) - 1);
	close(fd);
	if (got <= 0)
		return 0;
	line[got] = '\0';
	paren = strrchr(line, ')');
	return paren && paren[1] ? paren[2] : 0;
}

static void count_threads(int tasks, uint64_t *running, uint64_t *uninterruptible)
{
	DIR *dir = fdopendir(tasks);
	struct dirent *entry;
	char state;

	if (!dir) {
		close(tasks);
		return;
	}
	while ((entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		state = thread_state(dirfd(dir), entry->d_name);
		*running += state == 'R';
		*uninterruptible += state == 'D';
	}
	closedir(dir);
}

int load_count(uint64_t *running, uint64_t *uninterruptible)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	char path[48];
	int tasks;

	if (!proc)
		return -errno;
	*running = *uninterruptible = 0;
	while ((entry = readdir(proc))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "%.20s/task", entry->d_name);
		tasks = openat(dirfd(proc), path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (tasks >= 0) /* else it has ended since */
			count_threads(tasks, running, uninterruptible);
	}
	closedir(proc);
	if (*running) /* we run, to count */
		*running -= 1;
	return 0;
}
