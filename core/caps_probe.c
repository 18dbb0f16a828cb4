// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Asks the kernel what it offers, by trying: the command may exist and the
 * attach be refused, so versions and configuration files prove nothing.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/bpf_log.h"
#include "core/bpf_trivial.h"
#include "core/caps.h"
#include "core/caps_probe.h"
#include "core/fentry_first.h"
#include "core/host.h"
#include "core/kernel_btf.h"
#include "core/multi.h"
#include "core/plan.h"

/* Hooks that find their target through BTF, and what each is tried on. */
static const struct {
	enum via via;
	enum bpf_attach_type attach;
	const char *name;
	uint32_t kind;
} by_type[] = {
    {VIA_TP_BTF, BPF_TRACE_RAW_TP, "btf_trace_sched_switch", BTF_KIND_TYPEDEF},
    {VIA_ITER, BPF_TRACE_ITER, "bpf_iter_task", BTF_KIND_FUNC},
    {VIA_FENTRY, BPF_TRACE_FENTRY, "vfs_read", BTF_KIND_FUNC},
};

/* Facts that are the existence of a function, which BTF describes. */
static const char *const function_fact[] = {
    "kfunc.bpf_get_kmem_cache",
    "helper.bpf_task_pt_regs",
};

void probe_set(struct probe *probe, const char *key, const char *value)
{
	if (!probe->err)
		probe->err = caps_set(probe->caps, key, value);
}

uint32_t probe_type(struct probe *probe, const char *name, uint32_t kind)
{
	return probe->btf ? kernel_btf_find(probe->btf, name, kind) : 0;
}

void probe_expect(struct probe *probe, const char *name, uint32_t kind)
{
	if (!probe->err)
		probe->err = kernel_btf_expect(probe->btf, name, kind);
}

static bool wants(const struct probe *probe, enum via via)
{
	return probe->vias & 1u << via;
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

/* Loads and, for functions, attaches: arm64 6.1 takes a fentry program and refuses to attach it. A
 * run finds that out by itself. */
static int try_tracing(struct probe *probe, enum bpf_attach_type attach, const char *name,
		       __u32 kind)
{
	uint32_t id = probe_type(probe, name, kind);
	int fd, link, err = 0;

	if (!id)
		return -ENOENT;
	fd = bpf_trivial_load(BPF_PROG_TYPE_TRACING, attach, id);
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

static void probe_btf_vias(struct probe *probe, int no_bpf)
{
	unsigned i;

	for (i = 0; i < sizeof(by_type) / sizeof(by_type[0]); i++) {
		if (!wants(probe, by_type[i].via))
			continue;
		if (no_bpf)
			probe_via(probe, by_type[i].via, no_bpf, NULL);
		else if (!probe->btf)
			probe_via(probe, by_type[i].via, -1, "no BTF");
		else
			probe_tracing(probe, by_type[i].via,
				      try_tracing(probe, by_type[i].attach, by_type[i].name,
						  by_type[i].kind));
	}
}

static void probe_vias(struct probe *probe)
{
	int fd = bpf_trivial_load(BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 0);
	int no_bpf = fd < 0 ? fd : 0;

	if (fd >= 0)
		close(fd);
	probe_btf_vias(probe, no_bpf);
	if (wants(probe, VIA_RAW_TP))
		probe_via(probe, VIA_RAW_TP, no_bpf, NULL);
	if (wants(probe, VIA_TRACEPOINT))
		probe_via(
		    probe, VIA_TRACEPOINT,
		    no_bpf           ? no_bpf
		    : probe->tracefs ? 0
				     : -1,
		    no_bpf
			? NULL
			: "tracefs cannot be read (mount -t tracefs tracefs /sys/kernel/tracing)");
	if (wants(probe, VIA_KPROBE)) {
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
static void probe_many(struct probe *probe)
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
		if (!wants(probe, row[i].via))
			continue;
		program = bpf_trivial_load(BPF_PROG_TYPE_KPROBE, multi_attach_type(row[i].via), 0);
		err = program < 0 ? program : multi_try(row[i].via, program);
		if (program >= 0)
			close(program);
		probe_via(probe, row[i].via, err,
			  program == -EPERM || program == -EACCES ? NULL : row[i].missing);
	}
}

/* key: WHAT.FUNCTION */
static void probe_function_type(struct probe *probe, const char *key)
{
	probe_set(probe, key,
		  probe_type(probe, strchr(key, '.') + 1, BTF_KIND_FUNC) ? "yes" : "no");
}

static void probe_btf_facts(struct probe *probe)
{
	size_t i;

	for (i = 0; i < sizeof(function_fact) / sizeof(function_fact[0]); i++)
		probe_function_type(probe, function_fact[i]);
}

/* Where a v1 controller's state stands in css_set.subsys: it depends on the configuration. */
static void probe_cgroup_subsys(struct probe *probe)
{
	uint32_t id = probe_type(probe, "cgroup_subsys_id", BTF_KIND_ENUM), i;
	const struct btf_types *types;
	const struct btf_type *type;
	const struct btf_enum *value;
	const char *name, *end;
	char key[64], text[16];

	if (!id)
		return;
	types = kernel_btf_types(probe->btf);
	type = btf_types_at(types, id);
	value = (const void *)(type + 1);
	for (i = 0; i < BTF_INFO_VLEN(type->info); i++) {
		name = btf_types_name(types, value[i].name_off);
		end = name ? strstr(name, "_cgrp_id") : NULL;
		if (!end)
			continue;
		/* v1 calls io by its old name */
		snprintf(key, sizeof(key), "cgroup_subsys.%.*s",
			 !strncmp(name, "io_", 3) ? 5 : (int)(end - name),
			 !strncmp(name, "io_", 3) ? "blkio" : name);
		snprintf(text, sizeof(text), "%d", value[i].val);
		probe_set(probe, key, text);
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

static void each_hook(struct probe *probe, void (*take)(struct probe *, const struct hook *))
{
	const struct tool *const *tool;
	const struct hook *hook;

	for (tool = probe->list; *tool; tool++)
		for (hook = (*tool)->hooks; hook && hook->role; hook++)
			if (!probe->opts || plan_asks(probe->opts, hook))
				take(probe, hook);
}

static void want_via(struct probe *probe, const struct hook *hook)
{
	probe->vias |= 1u << hook->via;
}

/* One pass over the types answers all that will be asked of them. */
static int look(struct probe *probe)
{
	size_t i;

	for (i = 0; i < sizeof(by_type) / sizeof(by_type[0]); i++)
		if (wants(probe, by_type[i].via))
			probe_expect(probe, by_type[i].name, by_type[i].kind);
	if (wants(probe, VIA_FENTRY)) {
		probe_expect(probe, FENTRY_FIRST_TARGET, BTF_KIND_FUNC);
		probe_expect(probe, FENTRY_FIRST_NEEDLESS, BTF_KIND_FUNC);
	}
	for (i = 0; i < sizeof(function_fact) / sizeof(function_fact[0]); i++)
		probe_expect(probe, strchr(function_fact[i], '.') + 1, BTF_KIND_FUNC);
	probe_expect(probe, "cgroup_subsys_id", BTF_KIND_ENUM);
	each_hook(probe, probe_expect_target);
	return probe->err ? probe->err : kernel_btf_look(probe->btf);
}

/* The running kernel's types, or given those of a file. */
static enum status open_types(struct probe *probe, const char *path, struct kernel_btf **given)
{
	int err = path ? kernel_btf_open_file(given, path) : 0;

	probe->btf = path ? *given : kernel_btf();
	if (probe->btf && !err)
		err = look(probe);
	if (!err)
		return OK;
	kernel_btf_close(*given);
	return fail(path ? USAGE : FAILED, "cannot read BTF from %s: %s",
		    path ? path : "the kernel", bpf_log_strerror(-err));
}

enum status caps_probe(struct caps *caps, const struct tool *const *list, const struct opts *opts,
		       struct symbols *symbols)
{
	struct probe probe = {.caps = caps,
			      .tracefs = host_tracefs(),
			      .symbols = symbols,
			      .list = list,
			      .opts = opts,
			      .attach = !opts || opts->action == ACTION_EXPLAIN};
	struct kernel_btf *given = NULL;
	enum status status;

	bpf_log_begin(false);
	each_hook(&probe, want_via);
	status = open_types(&probe, opts ? opts->btf : NULL, &given);
	if (status)
		return status;
	probe_host(&probe);
	probe_vias(&probe);
	probe_many(&probe);
	each_hook(&probe, probe_target);
	probe_btf_facts(&probe);
	probe_numa(&probe);
	probe_cgroup_subsys(&probe);
	kernel_btf_close(given);
	return probe.err ? fail(FAILED, "out of memory") : OK;
}
