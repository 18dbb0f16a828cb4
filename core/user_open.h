/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file that a process maps, whatever mount namespace it lives in. */
#ifndef KTRACE_USER_OPEN_H
#define KTRACE_USER_OPEN_H

#include <stdbool.h>
#include <stdint.h>

struct user_inode {
	uint32_t major, minor;
	uint64_t inode;
};

struct user_place {
	uint32_t tgid; /* 0: no process is known to map it */
	uint64_t start, end;
	const char *path;
};

/*
 * Opens the file: through the mapping itself (/proc/TGID/map_files, which finds deleted and
 * memory files too), below the process's root, or by its path below ours. Another file that
 * lies there now is refused. Returns a descriptor, with *root what leads to where it was
 * found ("/proc/12/root" or ""; size bytes), or -errno.
 */
int user_open(const struct user_inode *, const struct user_place *, char *root, unsigned size);
/* Is it there below our own root, under its path? */
bool user_is_ours(const struct user_inode *, const char *path);

#endif
