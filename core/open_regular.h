/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KTRACE_OPEN_REGULAR_H
#define KTRACE_OPEN_REGULAR_H

#include <stdbool.h>

/*
 * Opens root + path for reading. Links and ".." in path lead no further than root
 * ("/proc/12/root"; "" for our own). What is no regular file is never opened, only looked
 * at: to open a FIFO can wait, to open a device can do things. Returns the descriptor
 * or -errno (-EINVAL: no regular file).
 */
int open_regular(const char *root, const char *path);

struct open_rule {
	bool no_link; /* path itself must be no symbolic link */
	/* Is it the file that is wanted? fd only names it (O_PATH). NULL: any is. */
	bool (*wanted)(int fd, const void *arg);
	const void *arg;
};

/* The same; -ESTALE: another file than the wanted one lies there. */
int open_regular_by(const char *root, const char *path, const struct open_rule *);

#endif
