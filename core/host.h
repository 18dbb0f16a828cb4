/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small facts about the running system, each asked in one place. */
#ifndef KTRACE_HOST_H
#define KTRACE_HOST_H

#include <stdbool.h>
#include <stdint.h>

/* Where tracefs is mounted and can be read; NULL: nowhere. */
const char *host_tracefs(void);
/* Why kernel addresses are hidden from us; NULL: they are not. */
const char *host_kallsyms_hidden(void);
/* The three load averages in 1/65536 (sysinfo(2) gives get_avenrun() at that resolution). */
void host_load(uint64_t load[3]);
uint64_t host_monotonic_ns(void);
uint64_t host_realtime_ns(void);
/* Threads of the whole system now; 0: unknown. */
uint64_t host_threads(void);
/* The highest number that a CPU may have, and one: more than there are where numbers are missing.
 */
uint32_t host_cpus(void);
/* Does the process exist? A thread that leads no process does not count; *is_thread says so. */
bool host_has_process(uint32_t tgid, bool *is_thread);
bool host_has_thread(uint32_t tid);

#endif
