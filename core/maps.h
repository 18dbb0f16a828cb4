/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of /proc/TGID/maps: read, and taken apart line by line. */
#ifndef KTRACE_MAPS_H
#define KTRACE_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/user_files.h"

#define MAPS_PATH_MAX 4096
#define MAPS_TEXT_MAX (32U << 20) /* a process with vm.max_map_count mappings has some 8 MB */

struct maps_line {
	struct user_file_seen seen; /* its tgid is left alone; its path is the one below */
	uint64_t pgoff;             /* bytes: of start in the file; 0 for what is no file */
	bool executable;
	/* Raw bytes; one that is too long lacks its beginning. Set where executable. */
	char path[MAPS_PATH_MAX];
};

/*
 * Takes the next line that is one from *text, which is moved behind it; those that are not
 * are skipped. False: there is none before end.
 */
bool maps_next(const char **text, const char *end, struct maps_line *);

/* Cuts off " (deleted)". True when it was there. */
bool maps_cut_deleted(char *path);

/*
 * The text for a process, to be freed. Returns 0 or -errno: -ESRCH there is no such process
 * or it maps nothing, as a kernel thread; -EFBIG above MAPS_TEXT_MAX. On errors *text is NULL.
 */
int maps_read(uint32_t tgid, char **text, size_t *len);

#endif
