/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which context a kernel stack was taken in. The preemption counter would say
 * it, but its address is not to be had on kernels without CONFIG_KALLSYMS_ALL;
 * the frames are. Pure.
 */
#ifndef KTRACE_CONTEXT_H
#define KTRACE_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

#define CONTEXT_TASK "task"

/*
 * "task", "hardirq", "softirq" or "timer" for names[*n], leaf first. Where an
 * interrupt took the CPU from a task, *interrupted says that the running task
 * did nothing of this, and *n becomes the number of frames of the interrupt
 * itself. Softirqs that a task runs at its own local_bh_enable() are its doing.
 * Returns a static string.
 */
const char *context_of(const char *const *names, uint32_t *n, bool *interrupted);

#endif
