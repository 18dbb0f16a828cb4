/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files whose size is not known before, as those of /proc. */
#ifndef KTRACE_READ_ALL_H
#define KTRACE_READ_ALL_H

#include <stddef.h>

/*
 * All that fd has from here on, to be freed; not terminated. Returns 0 or -errno: -EFBIG above
 * max bytes. On errors *text is NULL.
 */
int read_all(int fd, size_t max, char **text, size_t *len);
/* The same of the file of that name. */
int read_path(const char *path, size_t max, char **text, size_t *len);

#endif
