// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/open_regular.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A descriptor that names the file without having opened it. */
static int find(const char *root, const char *path, bool no_link)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC | (no_link ? O_NOFOLLOW : 0),
			       .resolve = RESOLVE_IN_ROOT};
	int dir, fd;

	if (!*root) { /* a link of /proc leads where no path does, and is refused below a root */
		fd = open(path, (int)how.flags);
		return fd < 0 ? -errno : fd;
	}
	dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
	if (fd < 0)
		fd = -errno;
	close(dir);
	return fd;
}

int open_regular_by(const char *root, const char *path, const struct open_rule *rule)
{
	int found = find(root, path, rule->no_link), fd;
	char self[32];
	struct stat st;

	if (found < 0)
		return found;
	if (fstat(found, &st) || !S_ISREG(st.st_mode)) {
		fd = -EINVAL;
	} else if (rule->wanted && !rule->wanted(found, rule->arg)) {
		fd = -ESTALE;
	} else {
		snprintf(self, sizeof(self), "/proc/self/fd/%d", found);
		fd = open(self, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (fd < 0)
			fd = -errno;
	}
	close(found);
	return fd;
}

int open_regular(const char *root, const char *path)
{
	return open_regular_by(root, path, &(struct open_rule){0});
}
