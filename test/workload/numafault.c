// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * numafault MB huge|small [--ask]: touches MB MiB of memory on a CPU of one NUMA node, switches
 * balancing on, and touches it on a CPU of another node until the kernel has moved all of it
 * there, or nine tenths and no more for a second; at most 120 s. Switches balancing off. Says
 * where the pages were, are, and what /proc/vmstat counted meanwhile for the whole machine.
 * Where all CPUs are of one node the memory is first moved to another by move_pages(2).
 * --ask: has them moved by move_pages(2), without balancing.
 */
#include "workload.h"

#include <sched.h>

#define HUGE_BYTES (2ul << 20)
#define MAX_CPUS 256
#define MAX_NODES 64
#define LIMIT_NS (120ull * 1000000000)

static struct {
	char *memory;
	size_t bytes, page_bytes, n;
	void **page;
	int *node;
} run;

static void run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("cannot run on CPU %d", cpu);
}

/* The first CPU that is not of this node (-1: of any), its node in *node; -1: there is none. */
static int cpu_elsewhere(int not_node, int *node)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		die("sched_getaffinity");
	for (int cpu = 0; cpu < MAX_CPUS; cpu++) {
		unsigned here;

		if (!CPU_ISSET(cpu, &set))
			continue;
		run_on(cpu);
		if (syscall(SYS_getcpu, NULL, &here, NULL))
			die("getcpu");
		*node = (int)here;
		if (*node != not_node) {
			sched_setaffinity(0, sizeof(set), &set);
			return cpu;
		}
	}
	return -1;
}

static size_t pages_on(int node)
{
	size_t count = 0;

	if (syscall(SYS_move_pages, 0, run.n, run.page, NULL, run.node, 0))
		die("move_pages");
	for (size_t i = 0; i < run.n; i++)
		count += run.node[i] == node;
	return count;
}

static bool move_to(int node)
{
	int *nodes = calloc(run.n, sizeof(*nodes));
	bool ok;

	if (!nodes)
		die("no memory");
	for (size_t i = 0; i < run.n; i++)
		nodes[i] = node;
	ok = !syscall(SYS_move_pages, 0, run.n, run.page, nodes, run.node, 2 /* MPOL_MF_MOVE */);
	free(nodes);
	return ok;
}

/* All CPUs are of one node: its pages go to another, which is returned. */
static int send_away(int here)
{
	for (int node = 0; node < MAX_NODES; node++)
		if (node != here && move_to(node))
			return node;
	die("there is one NUMA node");
}

static uint64_t field_of(const char *path, const char *name)
{
	char line[256];
	uint64_t value = 0;
	size_t len = strlen(name);
	FILE *in = fopen(path, "re");

	if (!in)
		die("cannot open %s", path);
	while (fgets(line, sizeof(line), in))
		if (!strncmp(line, name, len) && strchr(" :", line[len]))
			value = strtoull(line + len + 1, NULL, 10);
	fclose(in);
	return value;
}

static void take_memory(uint64_t bytes, bool huge)
{
	run.bytes = bytes;
	run.page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	run.n = bytes / run.page_bytes;
	run.page = calloc(run.n, sizeof(*run.page));
	run.node = calloc(run.n, sizeof(*run.node));
	run.memory = mmap(NULL, bytes + HUGE_BYTES, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!run.page || !run.node || run.memory == MAP_FAILED)
		die("no memory");
	run.memory = (char *)(((uintptr_t)run.memory + HUGE_BYTES - 1) & ~(HUGE_BYTES - 1));
	if (madvise(run.memory, bytes, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) && huge)
		die("madvise");
	for (size_t i = 0; i < run.n; i++)
		run.page[i] = run.memory + i * run.page_bytes;
	memset(run.memory, 1, bytes);
}

static void set_balancing(const char *value)
{
	FILE *out = fopen("/proc/sys/kernel/numa_balancing", "we");

	if (!out || fputs(value, out) < 0 || fclose(out))
		die("cannot set kernel.numa_balancing");
}

static void touch_for_ns(uint64_t ns)
{
	uint64_t end = now_ns() + ns;

	do {
		for (size_t i = 0; i < run.n; i++)
			((volatile char *)run.page[i])[0]++;
	} while (now_ns() < end);
}

/* Until the kernel has moved all, or hardly more can be hoped for: a last page may take minutes. */
static void touch_until_moved(int to)
{
	uint64_t start = now_ns(), last = start;
	size_t moved = 0, now;

	while (moved < run.n && now_ns() - start < LIMIT_NS) {
		touch_for_ns(100 * MS);
		now = pages_on(to);
		if (now != moved)
			last = now_ns();
		else if (now >= run.n - run.n / 10 && now_ns() - last > 1000 * MS)
			return;
		moved = now;
	}
}

int main(int argc, char **argv)
{
	int from, to, cpu, there;
	uint64_t start, migrated, success, huge_kb;
	size_t began;
	bool ask = take_option(&argc, argv, "--ask", false);

	if (argc != 3 || (strcmp(argv[2], "huge") && strcmp(argv[2], "small")))
		die("usage: numafault MB huge|small [--ask]");
	cpu = cpu_elsewhere(-1, &from);
	there = cpu_elsewhere(from, &to);
	run_on(cpu);
	take_memory(number(argv[1]) << 20, argv[2][0] == 'h');
	if (there < 0) {
		to = from;
		from = send_away(to);
		there = cpu;
	}
	huge_kb = field_of("/proc/self/smaps_rollup", "AnonHugePages");
	began = pages_on(from);
	migrated = field_of("/proc/vmstat", "numa_pages_migrated");
	success = field_of("/proc/vmstat", "pgmigrate_success");
	start = now_ns();
	if (!ask)
		set_balancing("1");
	else if (!move_to(to))
		die("move_pages");
	run_on(there);
	touch_until_moved(to);
	if (!ask)
		set_balancing("0");
	touch_for_ns(0); /* a page that waits to be touched shows no node */
	printf("{\"workload\":\"numafault\",\"pages\":%zu,\"began\":%zu,\"moved\":%zu,"
	       "\"from\":%d,\"to\":%d,\"huge_kb\":%lu,\"ns\":%lu,\"tgid\":%d,"
	       "\"numa_pages_migrated\":%lu,\"pgmigrate_success\":%lu}\n",
	       run.n, began, pages_on(to), from, to, huge_kb, now_ns() - start, (int)getpid(),
	       field_of("/proc/vmstat", "numa_pages_migrated") - migrated,
	       field_of("/proc/vmstat", "pgmigrate_success") - success);
	return 0;
}
