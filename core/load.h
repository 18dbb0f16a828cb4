/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tasks that make the load average, counted in /proc. */
#ifndef KTRACE_LOAD_H
#define KTRACE_LOAD_H

#include <stdint.h>

/*
 * Threads that are runnable (R) and in uninterruptible sleep (D; idle kernel
 * threads, I, are no load) now, the calling thread left out. Returns 0 or -errno.
 */
int load_count(uint64_t *running, uint64_t *uninterruptible);

#endif
