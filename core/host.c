// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/host.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

const char *host_tracefs(void)
{
	static const char *const paths[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"};
	char events[64];
	size_t i;

	for (i = 0; i < 2; i++) {
		snprintf(events, sizeof(events), "%s/events/sched", paths[i]);
		if (!access(events, R_OK | X_OK))
			return paths[i];
	}
	return NULL;
}

const char *host_kallsyms_hidden(void)
{
	FILE *in = fopen("/proc/kallsyms", "re");
	unsigned long address = 0;
	char line[512];
	int i;

	if (!in)
		return "/proc/kallsyms cannot be read";
	/* Per-CPU symbols at the beginning of x86's list may be 0 although nothing is hidden. */
	for (i = 0; i < 1000 && !address && fgets(line, sizeof(line), in); i++)
		address = strtoul(line, NULL, 16);
	fclose(in);
	return address ? NULL
		       : "kernel addresses are hidden (needs CAP_SYSLOG, and kernel.kptr_restrict "
			 "below 2)";
}

void host_load(uint64_t load[3])
{
	struct sysinfo info;
	int i;

	if (sysinfo(&info))
		memset(&info, 0, sizeof(info));
	for (i = 0; i < 3; i++)
		load[i] = info.loads[i];
}

/* The first line of a small file; 0 or -errno. */
static int read_line(const char *path, char *line, int size)
{
	FILE *in = fopen(path, "re");
	int err = 0;

	if (!in)
		return -errno;
	if (!fgets(line, size, in))
		err = -EIO;
	fclose(in);
	return err;
}

int host_numa_balancing(void)
{
	char line[32];
	int err = read_line("/proc/sys/kernel/numa_balancing", line, sizeof(line));

	return err ? err : (int)strtol(line, NULL, 10);
}

uint64_t host_huge_page_bytes(void)
{
	char line[32];
	int err =
	    read_line("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", line, sizeof(line));

	return err ? 0 : strtoull(line, NULL, 10);
}

/* "0", "0-3", "0,2-3" */
unsigned host_numa_nodes(void)
{
	unsigned long first, last, n = 0;
	char line[256] = "", *at = line;

	if (read_line("/sys/devices/system/node/has_memory", line, sizeof(line)))
		return 0;
	while (*at >= '0' && *at <= '9') {
		first = last = strtoul(at, &at, 10);
		if (*at == '-')
			last = strtoul(at + 1, &at, 10);
		n += last - first + 1;
		at += *at == ',';
	}
	return (unsigned)n;
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t host_monotonic_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t host_realtime_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

uint64_t host_threads(void)
{
	char line[128];
	const char *slash;

	if (read_line("/proc/loadavg", line, sizeof(line)))
		return 0;
	slash = strchr(line, '/'); /* "0.20 0.18 0.12 1/80 11206": the 80 */
	return slash ? strtoull(slash + 1, NULL, 10) : 0;
}

uint32_t host_cpus(void)
{
	long configured = sysconf(_SC_NPROCESSORS_CONF);
	char line[256];
	const char *last;

	if (read_line("/sys/devices/system/cpu/possible", line, sizeof(line)))
		line[0] = '\0';
	last = strpbrk(line, "0123456789"); /* "0-3\n", "0,2-3\n": the last number */
	if (!last)
		return configured > 0 ? (uint32_t)configured : 1;
	while (strpbrk(last, "-,"))
		last = strpbrk(last, "-,") + 1;
	return (uint32_t)strtoul(last, NULL, 10) + 1;
}

/* Tgid of a thread from its status file; 0: no such thread. */
static uint32_t thread_group(uint32_t tid)
{
	char path[48], line[256];
	unsigned int tgid = 0;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%u/status", tid);
	in = fopen(path, "re");
	if (!in)
		return 0;
	while (!tgid && fgets(line, sizeof(line), in))
		if (!strncmp(line, "Tgid:", 5))
			tgid = (unsigned int)strtoul(line + 5, NULL, 10);
	fclose(in);
	return tgid;
}

bool host_has_process(uint32_t tgid, bool *is_thread)
{
	uint32_t group = thread_group(tgid);

	*is_thread = group && group != tgid;
	return group == tgid;
}

bool host_has_thread(uint32_t tid)
{
	return thread_group(tid) != 0;
}
