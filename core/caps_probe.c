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
#include "core/host.h"
#include "core/ksyms.h"

struct probe {
	struct caps *caps;
	struct btf *btf; /* NULL: there is none */
	const char *tracefs;
	struct ksyms *ksyms; /* read when first needed */
	bool ksyms_tried;
	int err;
};

static void set(struct probe *probe, const char *key, const char *value)
{
	if (!probe->err)
		probe->err = caps_set(probe->caps, key, value);
}

static void set_no(struct probe *probe, const char *key, const char *reason)
{
	char value[256];

	snprintf(value, sizeof(value), "no: %s", reason);
	set(probe, key, value);
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

/* Loads and, for functions, attaches: arm64 6.1 takes a fentry program and refuses to attach it. */
static int try_tracing(const struct probe *probe, enum bpf_attach_type attach, const char *name,
		       __u32 kind)
{
	int id = btf__find_by_name_kind(probe->btf, name, kind), fd, link, err = 0;

	if (id < 0)
		return -ENOENT;
	fd = load_trivial(BPF_PROG_TYPE_TRACING, attach, id);
	if (fd < 0)
		return fd;
	if (attach == BPF_TRACE_FENTRY) {
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
		set(probe, key, "yes");
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

static void append_type(char *out, size_t size, const struct btf *btf, __u32 id)
{
	const struct btf_type *type = btf__type_by_id(btf, id);
	size_t len = strlen(out);

	if (!type || btf_is_void(type)) {
		snprintf(out + len, size - len, "void");
		return;
	}
	if (btf_is_ptr(type)) {
		append_type(out, size, btf, type->type);
		len = strlen(out);
		snprintf(out + len, size - len, " *");
	} else if (btf_is_mod(type)) {
		append_type(out, size, btf, type->type);
	} else {
		snprintf(out + len, size - len, "%s%s", btf_is_struct(type) ? "struct " : "",
			 btf__name_by_offset(btf, type->name_off));
	}
}

/* typedef void (*btf_trace_EVENT)(void *, ARGUMENTS): the kernel's own word on the arguments. */
static void probe_proto(struct probe *probe, const char *event)
{
	char key[96], value[512] = "";
	const struct btf_type *type;
	const struct btf_param *param;
	int id, i;

	snprintf(key, sizeof(key), "btf_trace_%s", event);
	id = btf__find_by_name_kind(probe->btf, key, BTF_KIND_TYPEDEF);
	snprintf(key, sizeof(key), "proto.%s", event);
	if (id < 0) {
		set(probe, key, "no");
		return;
	}
	type = btf__type_by_id(probe->btf, btf__type_by_id(probe->btf, (__u32)id)->type);
	type = type ? btf__type_by_id(probe->btf, type->type) : NULL;
	if (!type || !btf_is_func_proto(type)) {
		set(probe, key, "no");
		return;
	}
	param = btf_params(type);
	for (i = 1; i < btf_vlen(type); i++) {
		if (i > 1)
			strncat(value, ";", sizeof(value) - strlen(value) - 1);
		append_type(value, sizeof(value), probe->btf, param[i].type);
	}
	set(probe, key, *value ? value : "none");
}

static void probe_tracepoint(struct probe *probe, const char *target)
{
	const char *colon = strchr(target, ':');
	char key[128], path[256];

	if (!colon)
		return;
	snprintf(key, sizeof(key), "tp.%s", target);
	if (caps_get(probe->caps, key))
		return;
	snprintf(path, sizeof(path), "%s/events/%.*s/%s/id", probe->tracefs ? probe->tracefs : "",
		 (int)(colon - target), target, colon + 1);
	set(probe, key, !probe->tracefs ? "unknown" : access(path, R_OK) ? "no" : "yes");
	if (probe->btf)
		probe_proto(probe, colon + 1);
}

static bool has_symbol(struct probe *probe, const char *name)
{
	uint64_t lo, hi;

	if (!probe->ksyms_tried)
		ksyms_load(&probe->ksyms, NULL);
	probe->ksyms_tried = true;
	return probe->ksyms && ksyms_range(probe->ksyms, name, &lo, &hi);
}

/*
 * Each of "a|b|c" up to the first that BTF describes. BTF's word is enough: where the symbol
 * is missing all the same the hook is refused at load. So kallsyms is read only where a
 * function is not found, which saves tens of milliseconds.
 */
static void probe_functions(struct probe *probe, const char *targets)
{
	char name[96], key[104];
	const char *value;
	size_t len;

	for (; *targets; targets += len + (targets[len] == '|')) {
		len = strcspn(targets, "|");
		snprintf(name, sizeof(name), "%.*s", (int)len, targets);
		snprintf(key, sizeof(key), "fn.%s", name);
		value = caps_get(probe->caps, key);
		if (!value) {
			value = probe->btf &&
					btf__find_by_name_kind(probe->btf, name, BTF_KIND_FUNC) > 0
				    ? "yes"
				: has_symbol(probe, name) ? "symbol"
							  : "no";
			set(probe, key, value);
		}
		if (!strcmp(value, "yes"))
			return;
	}
}

static void probe_target(struct probe *probe, const struct hook *hook)
{
	if (hook->beside)
		probe_functions(probe, hook->beside);
	if (hook->via == VIA_FENTRY || hook->via == VIA_KPROBE)
		probe_functions(probe, hook->target);
	else
		probe_tracepoint(probe, hook->target);
}

static void probe_btf_facts(struct probe *probe)
{
	static const struct {
		const char *key, *name;
		__u32 kind;
	} row[] = {
	    {"kfunc.bpf_get_kmem_cache", "bpf_get_kmem_cache", BTF_KIND_FUNC},
	};
	unsigned i;

	for (i = 0; i < sizeof(row) / sizeof(row[0]); i++)
		set(probe, row[i].key,
		    probe->btf && btf__find_by_name_kind(probe->btf, row[i].name, row[i].kind) > 0
			? "yes"
			: "no");
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
		set(probe, key, value);
	}
}

static void probe_host(struct probe *probe)
{
	struct utsname uts;
	char cpus[16];

	if (!uname(&uts)) {
		set(probe, "kernel", uts.release);
		set(probe, "arch", uts.machine);
		set(probe, "rt", strstr(uts.version, "PREEMPT_RT") ? "yes" : "no");
	}
	snprintf(cpus, sizeof(cpus), "%d", libbpf_num_possible_cpus());
	set(probe, "cpus", cpus);
	if (probe->btf)
		set(probe, "btf", "yes");
	else
		set_no(probe, "btf", "the kernel has no /sys/kernel/btf/vmlinux (give --btf FILE)");
	if (probe->tracefs)
		set(probe, "tracefs", probe->tracefs);
	else
		set_no(probe, "tracefs", "not mounted, or not to be read");
	if (host_kallsyms_hidden())
		set_no(probe, "kallsyms", host_kallsyms_hidden());
	else
		set(probe, "kallsyms", "yes");
}

enum status caps_probe(struct caps *caps, const struct tool *const *list, const char *btf_path)
{
	struct probe probe = {.caps = caps, .tracefs = host_tracefs()};
	const struct hook *hook;
	unsigned wanted = 0;
	size_t i;

	bpf_log_begin(false);
	probe.btf = btf_path ? btf__parse(btf_path, NULL) : btf__load_vmlinux_btf();
	if (btf_path && !probe.btf)
		return fail(USAGE, "cannot read BTF from %s: %s", btf_path,
			    bpf_log_strerror(errno));
	probe_host(&probe);
	for (i = 0; list[i]; i++)
		for (hook = list[i]->hooks; hook && hook->role; hook++)
			wanted |= 1u << hook->via;
	probe_vias(&probe, wanted);
	for (i = 0; list[i]; i++)
		for (hook = list[i]->hooks; hook && hook->role; hook++)
			probe_target(&probe, hook);
	probe_btf_facts(&probe);
	probe_cgroup_subsys(&probe);
	btf__free(probe.btf);
	ksyms_free(probe.ksyms);
	return probe.err ? fail(FAILED, "out of memory") : OK;
}
