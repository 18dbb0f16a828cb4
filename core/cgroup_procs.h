/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KTRACE_CGROUP_PROCS_H
#define KTRACE_CGROUP_PROCS_H

#include <stdint.h>

/*
 * Calls each for every process that is in a cgroup, as cgroup_resolve() takes it, or below
 * it now. Returns 0, or what each returned that was not 0, or -errno.
 */
int cgroup_procs(const char *path_or_id, int (*each)(void *arg, uint32_t tgid), void *arg);

#endif
