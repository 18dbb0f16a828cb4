/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where user memory is allocated: the functions of each allocator that the traced
 * processes may call, as targets.
 */
#ifndef KTRACE_HEAP_FIND_H
#define KTRACE_HEAP_FIND_H

#include <stdbool.h>

#include "core/targets.h"

/*
 * Finds the allocators of what the options trace: of processes by what they have mapped, of
 * a command by what its loader would map. Returns OK, or USAGE, CANNOT (there is none) or
 * FAILED, said.
 */
enum status heap_find(struct targets *, const struct opts *);

/*
 * Adds the functions of one file. wrappers_only: those alone that call an allocator.
 * *allocates becomes true where the file has an allocator. Returns 0, -ENOEXEC (no file that
 * we can use), or another -errno.
 */
int heap_take_file(struct targets *, const char *path, bool wrappers_only, bool *allocates);

#endif
