/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tracefs and debugfs, also where nobody mounted them. */
#ifndef KTRACE_TRACEFS_H
#define KTRACE_TRACEFS_H

#include <stdio.h>

/*
 * A descriptor of the root of "tracefs" or "debugfs": where it is mounted, else of a
 * mount that nobody else sees and that ends with the descriptor (needs CAP_SYS_ADMIN).
 * -errno when it cannot be had.
 */
int tracefs_open(const char *type);
/* A file below it; NULL with errno. */
FILE *tracefs_file(int root, const char *path);

#endif
