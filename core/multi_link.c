// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/multi_link.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpf/count.h"
#include "core/multi.h"
#include "core/tracefs.h"

/* A part of union bpf_attr that is newer than the headers we build with. */
struct link_create_uprobe_multi { /* 6.6 */
	uint32_t prog_fd, target_fd, attach_type, flags;
	uint64_t path, offsets, ref_ctr_offsets, cookies;
	uint32_t cnt, multi_flags, pid, unused;
};

/* enum bpf_attach_type, in part newer than the headers we build with. */
#define ATTACH_UPROBE_MULTI 48   /* 6.6 */
#define ATTACH_UPROBE_SESSION 57 /* 6.13 */
#define UPROBE_MULTI_RETURN 1u   /* flag of the link */

static uint64_t pointer(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

static int uprobe_multi(struct link_create_uprobe_multi *attr)
{
	long fd = syscall(SYS_bpf, BPF_LINK_CREATE, attr, sizeof(*attr));

	return fd < 0 ? -errno : (int)fd;
}

static bool at_return(const struct link_maker *maker)
{
	return !strcmp(bpf_program__section_name(maker->program), "uretprobe");
}

static int uprobe_set(const struct link_maker *maker, const char *path, const uint64_t *offsets,
		      const uint64_t *cookies, size_t n)
{
	bool session = maker->hook->via == VIA_UPROBE_SESSION;
	struct link_create_uprobe_multi attr = {
	    .prog_fd = (uint32_t)bpf_program__fd(maker->program),
	    .attach_type = multi_attach_type(maker->hook->via),
	    .path = pointer(path),
	    .offsets = pointer(offsets),
	    .cookies = pointer(cookies),
	    .cnt = (uint32_t)n,
	    .multi_flags = at_return(maker) ? UPROBE_MULTI_RETURN : 0,
	    /* Before 6.10 that was one thread; a kernel that has sessions knows better. */
	    .pid = session ? maker->tgid : 0,
	};

	return uprobe_multi(&attr);
}

static int kprobe_multi(int program, const uint64_t *addresses, const uint64_t *cookies, size_t n)
{
	LIBBPF_OPTS(
	    bpf_link_create_opts, opts, .kprobe_multi.addrs = (const unsigned long *)addresses,
	    .kprobe_multi.cookies = (const __u64 *)cookies, .kprobe_multi.cnt = (uint32_t)n);
	int fd = bpf_link_create(program, 0, BPF_TRACE_KPROBE_MULTI, &opts);

	return fd < 0 ? -errno : fd;
}

/* Attached for a moment: 5.10 says EINVAL to the link and to a bad set alike. */
static int try_kprobe_multi(int program)
{
	const char *symbol = "vfs_read";
	LIBBPF_OPTS(bpf_link_create_opts, opts, .kprobe_multi.syms = &symbol,
		    .kprobe_multi.cnt = 1);
	int fd = bpf_link_create(program, 0, BPF_TRACE_KPROBE_MULTI, &opts);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/* A kernel that has the way says EBADF of "/", which is no file; else EINVAL. */
static int try_uprobe_multi(enum via via, int program)
{
	uint64_t nowhere = 1;
	struct link_create_uprobe_multi attr = {
	    .prog_fd = (uint32_t)program,
	    .attach_type = multi_attach_type(via),
	    .path = pointer("/"),
	    .offsets = pointer(&nowhere),
	    .cnt = 1,
	};
	int err = uprobe_multi(&attr);

	if (err >= 0)
		close(err);
	return err >= 0 || err == -EBADF ? 0 : err;
}

enum bpf_attach_type multi_attach_type(enum via via)
{
	switch (via) {
	case VIA_KPROBE_MULTI:
		return BPF_TRACE_KPROBE_MULTI;
	case VIA_UPROBE_MULTI:
		return (enum bpf_attach_type)ATTACH_UPROBE_MULTI;
	case VIA_UPROBE_SESSION:
		return (enum bpf_attach_type)ATTACH_UPROBE_SESSION;
	default:
		return 0;
	}
}

int multi_try(enum via via, int program)
{
	switch (via) {
	case VIA_KPROBE_MULTI:
		return try_kprobe_multi(program);
	case VIA_UPROBE_MULTI:
	case VIA_UPROBE_SESSION:
		return try_uprobe_multi(via, program);
	default:
		return access("/sys/bus/event_source/devices/uprobe/type", R_OK) ? -ENODEV : 0;
	}
}

int link_of_set(const struct link_maker *maker, const struct targets *targets, const uint32_t *list,
		size_t n)
{
	int fd;
	uint64_t *places = calloc(2 * n, sizeof(*places)), *cookies;
	size_t i;

	if (!places)
		return -ENOMEM;
	cookies = places + n;
	for (i = 0; i < n; i++) {
		places[i] = targets->at[list[i]].address;
		cookies[i] =
		    maker->hook->patterns == TARGET_HEAP ? targets->at[list[i]].function : list[i];
	}
	fd = maker->hook->via == VIA_KPROBE_MULTI
		 ? kprobe_multi(bpf_program__fd(maker->program), places, cookies, n)
		 : uprobe_set(maker, targets->binaries[targets->at[list[0]].binary], places,
			      cookies, n);
	free(places);
	return fd;
}

/* The program with the target's number where it has the mark. */
static int copy_program(const struct link_maker *maker, uint32_t number)
{
	const struct bpf_insn *from = bpf_program__insns(maker->program);
	size_t n = bpf_program__insn_cnt(maker->program), i, marks = 0;
	struct bpf_insn *insns = calloc(n, sizeof(*insns));
	int fd;

	if (!insns)
		return -ENOMEM;
	memcpy(insns, from, n * sizeof(*insns));
	for (i = 0; i < n; i++)
		if (insns[i].code == (BPF_ALU64 | BPF_MOV | BPF_K) &&
		    insns[i].imm == COUNT_SLOT_MARK) {
			insns[i].imm = (int32_t)number;
			marks++;
		}
	fd = marks == 1
		 ? bpf_prog_load(bpf_program__type(maker->program),
				 bpf_program__name(maker->program), "Dual BSD/GPL", insns, n, NULL)
		 : -EINVAL;
	if (fd < 0 && marks == 1)
		fd = -errno;
	free(insns);
	return fd;
}

/* tgid 0: of all processes. */
static int open_event(const struct perf_event_attr *attr, uint32_t tgid)
{
	long fd = syscall(SYS_perf_event_open, attr, tgid ? (int)tgid : -1, tgid ? -1 : 0, -1,
			  PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : (int)fd;
}

static int probe_event(const struct link_maker *maker, const struct targets *targets,
		       const struct target *target)
{
	struct perf_event_attr attr = {
	    .type = maker->pmu, .size = sizeof(attr), .config2 = target->address};

	if (target->kind == TARGET_USER || target->kind == TARGET_HEAP)
		attr.config1 = pointer(targets->binaries[target->binary]);
	if (at_return(maker))
		attr.config |= 1; /* both of these events' sources say so in format/retprobe */
	return open_event(&attr, maker->tgid);
}

/* "sched:sched_switch" by its number in tracefs. */
static int tracepoint_event(const struct link_maker *maker, const struct target *target)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_TRACEPOINT,
				       .size = sizeof(attr),
				       .sample_period = 1,
				       .wakeup_events = 1};
	const char *colon = strchr(target->name, ':');
	char path[300], line[32] = "";
	FILE *in = NULL;

	snprintf(path, sizeof(path), "events/%.*s/%s/id", colon ? (int)(colon - target->name) : 0,
		 target->name, colon ? colon + 1 : "");
	if (colon && maker->tracefs >= 0)
		in = tracefs_file(maker->tracefs, path);
	if (!in)
		return -ENOENT;
	if (fgets(line, sizeof(line), in))
		attr.config = strtoull(line, NULL, 10);
	fclose(in);
	return attr.config ? open_event(&attr, 0) : -ENOENT;
}

/* The program on the event; the result keeps both. event is closed or is the result. */
static int bind_event(int event, int program, uint64_t cookie)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .perf_event.bpf_cookie = cookie);
	int link = bpf_link_create(program, event, BPF_PERF_EVENT, &opts), err;

	if (link >= 0) {
		ioctl(event, PERF_EVENT_IOC_ENABLE, 0);
		close(event);
		return link;
	}
	err = -errno;
	/* Before 5.15 the event itself is the link, and there are no cookies. */
	if (!cookie && !ioctl(event, PERF_EVENT_IOC_SET_BPF, program) &&
	    !ioctl(event, PERF_EVENT_IOC_ENABLE, 0))
		return event;
	close(event);
	return err;
}

static int raw_link(int program, const struct target *target)
{
	const char *colon = strchr(target->name, ':');
	int fd = bpf_raw_tracepoint_open(colon ? colon + 1 : target->name, program);

	return fd < 0 ? -errno : fd;
}

int link_of_one(const struct link_maker *maker, const struct targets *targets, uint32_t number,
		int *copy)
{
	const struct target *target = &targets->at[number];
	uint64_t cookie = maker->hook->copies || target->kind == TARGET_HEAP ? 0 : number;
	int program = bpf_program__fd(maker->program), fd;

	if (maker->hook->copies) {
		program = *copy = copy_program(maker, number);
		if (program < 0)
			return program;
	}
	if (maker->hook->via == VIA_RAW_TP) {
		fd = raw_link(program, target);
	} else {
		fd = maker->hook->via == VIA_TRACEPOINT ? tracepoint_event(maker, target)
							: probe_event(maker, targets, target);
		if (fd >= 0)
			fd = bind_event(fd, program, cookie);
	}
	if (fd < 0 && *copy >= 0) {
		close(*copy);
		*copy = -1;
	}
	return fd;
}

static int read_pmu(const char *name, uint32_t *type)
{
	char path[80], line[32] = "";
	FILE *in;

	snprintf(path, sizeof(path), "/sys/bus/event_source/devices/%s/type", name);
	in = fopen(path, "re");
	if (!in)
		return -errno;
	if (fgets(line, sizeof(line), in))
		*type = (uint32_t)strtoul(line, NULL, 10);
	fclose(in);
	return *type ? 0 : -ENODEV;
}

int link_maker_init(struct link_maker *maker, const struct hook *hook,
		    const struct bpf_program *program)
{
	memset(maker, 0, sizeof(*maker));
	maker->hook = hook;
	maker->program = program;
	maker->tracefs = -1;
	if (hook->via == VIA_KPROBE)
		return read_pmu("kprobe", &maker->pmu);
	if (hook->via == VIA_UPROBE)
		return read_pmu("uprobe", &maker->pmu);
	if (hook->via == VIA_TRACEPOINT)
		maker->tracefs = tracefs_open("tracefs");
	return maker->tracefs < -1 ? maker->tracefs : 0;
}

void link_maker_end(struct link_maker *maker)
{
	if (maker->tracefs >= 0)
		close(maker->tracefs);
}
