/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KTRACE_OPEN_REGULAR_H
#define KTRACE_OPEN_REGULAR_H

/*
 * Opens root + path for reading. Links and ".." in path lead no further than root
 * ("/proc/12/root"; "" for our own). What is no regular file is never opened, only looked
 * at: to open a FIFO can wait, to open a device can do things. Returns the descriptor
 * or -errno (-EINVAL: no regular file).
 */
int open_regular(const char *root, const char *path);

#endif
