// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Asks the kernel what it offers, by trying: the command may exist and the
 * attach be refused, so versions and configuration files prove nothing.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/bpf_log.h"
#include "core/caps.h"
#include "core/caps_probe.h"
#include "core/host.h"
#include "core/kernel_btf.h"
#include "core/multi.h"

void probe_set(struct probe *probe, const char *key, const char *value)
{
	if (!probe->err)
		probe->err = caps_set(probe->caps, key, value);
}

static void set_no(struct probe *probe, const char *key, const char *reason)
{
	char value[256];

	snprintf(value, sizeof(value), "no: %s", reason);
	probe_set(probe, key, value);
}

/* What a refused bpf(2) means to a user. */
static const char *why(int err)
{
	return err == EPERM || err == EACCES
		   ? "Operation not permitted (needs root, or CAP_BPF and CAP_PERFMON)"
		   : strerror(err);
}

/* return 0; */
static const struct bpf_insn trivial[] = {
    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
    {.code = BPF_JMP | BPF_EXIT},
};

static int load_trivial(enum bpf_prog_type type, enum bpf_attach_type attach, int btf_id)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = attach,
		    .attach_btf_id = (__u32)btf_id);
	int fd = bpf_prog_load(type, NULL, "GPL", trivial, 2, &opts);

	return fd >= 0 ? fd : -errno;
}

/* Loads and, for functions, attaches: arm64 6.1 takes a fentry program and refuses to attach it. A
 * run finds that out by itself. */
static int try_tracing(const struct probe *probe, enum bpf_attach_type attach, const char *name,
		       __u32 kind)
{
	int id = btf__find_by_name_kind(probe->btf, name, kind), fd, link, err = 0;

	if (id < 0)
		return -ENOENT;
	fd = load_trivial(BPF_PROG_TYPE_TRACING, attach, id);
	if (fd < 0)
		return fd;
	if (probe->attach && attach == BPF_TRACE_FENTRY) {
		link = bpf_raw_tracepoint_open(NULL, fd);
		if (link < 0)
			err = -errno;
		else
			close(link);
	}
	close(fd);
	return err;
}

static void probe_via(struct probe *probe, enum via via, int err, const char *reason)
{
	char key[32];

	snprintf(key, sizeof(key), "via.%s", via_name(via));
	if (!err)
		probe_set(probe, key, "yes");
	else
		set_no(probe, key, reason ? reason : why(-err));
}

/* Privileges are there, for a raw tracepoint loads: it is the kernel that will not have it. */
static void probe_tracing(struct probe *probe, enum via via, int err)
{
	bool refused = err == -EPERM && via == VIA_FENTRY;

	probe_via(probe, via, err,
		  refused ? "this kernel does not let its functions be patched (EPERM)" : NULL);
}

/* Hooks that find their target through BTF. */
static void probe_btf_vias(struct probe *probe, int no_bpf, unsigned wanted)
{
	static const struct {
		enum via via;
		enum bpf_attach_type attach;
		const char *name;
		__u32 kind;
	} row[] = {
	    {VIA_TP_BTF, BPF_TRACE_RAW_TP, "btf_trace_sched_switch", BTF_KIND_TYPEDEF},
	    {VIA_ITER, BPF_TRACE_ITER, "bpf_iter_task", BTF_KIND_FUNC},
	    {VIA_FENTRY, BPF_TRACE_FENTRY, "vfs_read", BTF_KIND_FUNC},
	};
	unsigned i;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		if (!(wanted & 1u << row[i].via))
			continue;
		if (no_bpf)
			probe_via(probe, row[i].via, no_bpf, NULL);
		else if (!probe->btf)
			probe_via(probe, row[i].via, -1, "no BTF");
		else
			probe_tracing(probe, row[i].via,
				      try_tracing(probe, row[i].attach, row[i].name, row[i].kind));
	}
}

static void probe_vias(struct probe *probe, unsigned wanted)
{
	int fd = load_trivial(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 0);
	int no_bpf = fd < 0 ? fd : 0;

	if (fd >= 0)
		close(fd);
	probe_btf_vias(probe, no_bpf, wanted);
	if (wanted & 1u << VIA_RAW_TP)
		probe_via(probe, VIA_RAW_TP, no_bpf, NULL);
	if (wanted & 1u << VIA_TRACEPOINT)
		probe_via(
		    probe, VIA_TRACEPOINT,
		    no_bpf           ? no_bpf
		    : probe->tracefs ? 0
				     : -1,
		    no_bpf
			? NULL
			: "tracefs cannot be read (mount -t tracefs tracefs /sys/kernel/tracing)");
	if (wanted & 1u << VIA_KPROBE) {
		/* The PMU is what attaching needs; the program type loads even without kprobes. */
		bool pmu = !access("/sys/bus/event_source/devices/kprobe/type", R_OK);

		probe_via(probe, VIA_KPROBE,
			  no_bpf ? no_bpf
			  : pmu  ? 0
				 : -1,
			  no_bpf ? NULL : "this kernel has no kprobes");
	}
}

/* Ways to attach to many functions. */
static void probe_many(struct probe *probe, unsigned wanted)
{
	static const struct {
		enum via via;
		const char *missing;
	} row[] = {
	    {VIA_KPROBE_MULTI, "this kernel has no fprobes (CONFIG_FPROBE, 5.18)"},
	    {VIA_UPROBE, "this kernel has no uprobes"},
	    {VIA_UPROBE_MULTI, "this kernel has no uprobe_multi (6.6)"},
	    {VIA_UPROBE_SESSION, "this kernel has no uprobe sessions (6.13)"},
	};
	int program, err;
	size_t i;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		if (!(wanted & 1u << row[i].via))
			continue;
		program = load_trivial(BPF_PROG_TYPE_KPROBE, multi_attach_type(row[i].via), 0);
		err = program < 0 ? program : multi_try(row[i].via, program);
		if (program >= 0)
			close(program);
		probe_via(probe, row[i].via, err,
			  program == -EPERM || program == -EACCES ? NULL : row[i].missing);
	}
}

static void probe_function_type(struct probe *probe, const char *key, const char *name)
{
	probe_set(probe, key,
		  probe->btf && btf__find_by_name_kind(probe->btf, name, BTF_KIND_FUNC) > 0 ? "yes"
											    : "no");
}

/* To find a function takes a millisecond: what only stacks need is not asked for others. */
static bool walk_stacks(const struct tool *const *list)
{
	const struct column *column;

	for (; *list; list++)
		for (column = (*list)->columns; column->name; column++)
			if (column->want & WANT_ANY_KSTACK)
				return true;
	return false;
}

static void probe_btf_facts(struct probe *probe, const struct tool *const *list)
{
	probe_function_type(probe, "kfunc.bpf_get_kmem_cache", "bpf_get_kmem_cache");
	if (walk_stacks(list))
		probe_function_type(probe, "helper.bpf_task_pt_regs", "bpf_task_pt_regs");
}

/* Where a v1 controller's state stands in css_set.subsys: it depends on the configuration. */
static void probe_cgroup_subsys(struct probe *probe)
{
	int id =
	    probe->btf ? btf__find_by_name_kind(probe->btf, "cgroup_subsys_id", BTF_KIND_ENUM) : -1;
	const struct btf_type *type;
	const char *name, *end;
	char key[64], value[16];
	int i;

	if (id < 0)
		return;
	type = btf__type_by_id(probe->btf, (__u32)id);
	for (i = 0; i < btf_vlen(type); i++) {
		name = btf__name_by_offset(probe->btf, btf_enum(type)[i].name_off);
		end = strstr(name, "_cgrp_id");
		if (!end)
			continue;
		/* v1 calls io by its old name */
		snprintf(key, sizeof(key), "cgroup_subsys.%.*s",
			 !strncmp(name, "io_", 3) ? 5 : (int)(end - name),
			 !strncmp(name, "io_", 3) ? "blkio" : name);
		snprintf(value, sizeof(value), "%d", btf_enum(type)[i].val);
		probe_set(probe, key, value);
	}
}

/* Whether pages can be found in the wrong node at all. */
static void probe_numa(struct probe *probe)
{
	int balancing = host_numa_balancing();
	unsigned nodes = host_numa_nodes();

	if (balancing == -ENOENT && !access("/proc/sys/kernel", X_OK))
		set_no(probe, "numa_balancing",
		       "the kernel does not move pages between NUMA nodes by itself "
		       "(CONFIG_NUMA_BALANCING is not set)");
	else if (!balancing)
		probe_set(probe, "numa_balancing",
			  "off: kernel.numa_balancing is 0: the kernel moves no pages by itself");
	else if (balancing > 0)
		probe_set(probe, "numa_balancing", "yes");
	if (nodes == 1)
		probe_set(probe, "numa_nodes",
			  "off: the machine has one NUMA node: no page is in a wrong one");
	else if (nodes)
		probe_set(probe, "numa_nodes", "yes");
}

static void probe_host(struct probe *probe)
{
	struct utsname uts;
	char cpus[16];

	if (!uname(&uts)) {
		probe_set(probe, "kernel", uts.release);
		probe_set(probe, "arch", uts.machine);
		probe_set(probe, "rt", strstr(uts.version, "PREEMPT_RT") ? "yes" : "no");
	}
	snprintf(cpus, sizeof(cpus), "%d", libbpf_num_possible_cpus());
	probe_set(probe, "cpus", cpus);
	if (probe->btf)
		probe_set(probe, "btf", "yes");
	else
		set_no(probe, "btf", "the kernel has no /sys/kernel/btf/vmlinux (give --btf FILE)");
	if (probe->tracefs)
		probe_set(probe, "tracefs", probe->tracefs);
	else
		set_no(probe, "tracefs", "not mounted, or not to be read");
	if (host_kallsyms_hidden())
		set_no(probe, "kallsyms", host_kallsyms_hidden());
	else
		probe_set(probe, "kallsyms", "yes");
}

enum status caps_probe(struct caps *caps, const struct tool *const *list, const char *btf_path,
		       struct symbols *symbols, bool attach)
{
	struct probe probe = {
	    .caps = caps, .tracefs = host_tracefs(), .symbols = symbols, .attach = attach};
	struct btf *given = NULL;
	const struct hook *hook;
	unsigned wanted = 0;
	size_t i;

	bpf_log_begin(false);
	if (btf_path)
		given = btf__parse(btf_path, NULL);
	if (btf_path && !given)
		return fail(USAGE, "cannot read BTF from %s: %s", btf_path,
			    bpf_log_strerror(errno));
	probe.btf = given ? given : kernel_btf();
	probe_host(&probe);
	for (i = 0; list[i]; i++)
		for (hook = list[i]->hooks; hook && hook->role; hook++)
			wanted |= 1u << hook->via;
	probe_vias(&probe, wanted);
	probe_many(&probe, wanted);
	for (i = 0; list[i]; i++)
		for (hook = list[i]->hooks; hook && hook->role; hook++)
			probe_target(&probe, hook);
	probe_btf_facts(&probe, list);
	probe_numa(&probe);
	probe_cgroup_subsys(&probe);
	btf__free(given);
	return probe.err ? fail(FAILED, "out of memory") : OK;
}
