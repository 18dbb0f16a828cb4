/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which file a user means by "c", "libssl.so.3", "bash" or a path. */
#ifndef KTRACE_BINARY_H
#define KTRACE_BINARY_H

#include <stdint.h>

/*
 * The path of a program or library: as it is when it has a '/', else a library that the
 * loader would take, else a program in PATH. tgid: seen from that process's root; 0: from
 * ours. To be freed; NULL with errno ENOENT when there is none, else ENOMEM.
 */
char *binary_find(const char *name, uint32_t tgid);

#endif
