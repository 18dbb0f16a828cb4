/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/ksyms_table.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REACH (64 * 1024) /* of a symbol that no other one follows closely */

enum { MACHINE_KNOWN = 1, MACHINE = 2, LEAF_KNOWN = 4, LEAF = 8 };

void ksyms_free(struct ksyms *ks)
{
	if (!ks)
		return;
	free(ks->syms);
	free(ks->blob);
	free(ks->modules);
	free(ks->memo);
	free(ks);
}

size_t ksyms_count(const struct ksyms *ks)
{
	return ks ? ks->count : 0;
}

const struct ksym *ksyms_at(const struct ksyms *ks, size_t i)
{
	return &ks->syms[i];
}

const char *ksym_name(const struct ksyms *ks, const struct ksym *sym)
{
	return ks->blob + sym->name;
}

const char *ksym_module(const struct ksyms *ks, const struct ksym *sym)
{
	return sym->module == NO_MODULE ? NULL : ks->blob + ks->modules[sym->module];
}

static uint64_t end_of(const struct ksyms *ks, size_t i)
{
	size_t next = next_address(ks, i);
	uint64_t start = ks->syms[i].start;
	uint64_t end = start < UINT64_MAX - REACH ? start + REACH : UINT64_MAX;

	if (ks->syms[i].module == NO_MODULE && bounded(ks) && !ks->data)
		end = ks->etext;
	return next < ks->count && ks->syms[next].start < end ? ks->syms[next].start : end;
}

const struct ksym *ksyms_find(const struct ksyms *ks, uint64_t addr)
{
	size_t lo = 0, hi = ks ? ks->count : 0;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (ks->syms[mid].start <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo || addr >= end_of(ks, lo - 1))
		return NULL;
	for (lo--; lo && ks->syms[lo - 1].start == ks->syms[lo].start; lo--)
		;
	return &ks->syms[lo];
}

size_t ksyms_ranges(const struct ksyms *ks, const char *name, struct ksym_range *out, size_t max)
{
	uint64_t last = 0;
	size_t n = 0;

	for (size_t i = 0; ks && i < ks->count; i++) {
		const struct ksym *sym = &ks->syms[i];

		if (strcmp(ksym_name(ks, sym), name) || (n && sym->start == last))
			continue;
		last = sym->start;
		if (n < max)
			out[n] = (struct ksym_range){.lo = last, .hi = end_of(ks, i)};
		n++;
	}
	return n;
}

bool ksyms_range(const struct ksyms *ks, const char *name, uint64_t *lo, uint64_t *hi)
{
	struct ksym_range range;

	if (!ksyms_ranges(ks, name, &range, 1))
		return false;
	*lo = range.lo;
	*hi = range.hi;
	return true;
}

char *ksyms_format(const struct ksyms *ks, uint64_t addr, bool offset, char *buf, size_t size)
{
	const struct ksym *sym = ksyms_find(ks, addr);
	const char *module = sym ? ksym_module(ks, sym) : NULL;
	char plus[24] = "";

	if (!sym && offset)
		snprintf(buf, size, "0x%" PRIx64, addr);
	else if (!sym)
		snprintf(buf, size, "[unknown]");
	if (!sym)
		return buf;
	if (offset)
		snprintf(plus, sizeof(plus), "+0x%" PRIx64, addr - sym->start);
	snprintf(buf, size, "%s%s%s%s%s", ksym_name(ks, sym), plus, module ? " [" : "",
		 module ? module : "", module ? "]" : "");
	return buf;
}

/*
 * Of the kernel's own bpf_prog_*, bpf_trampoline_* and bpf_dispatcher_* most are
 * management that allocates and locks as anyone does; the generated code of these
 * names is in [bpf].
 */
static const char *const machinery[] = {
    "__bpf_prog_*",
    "___bpf_prog_run*",
    "bpf_dispatcher_*_func",
    "bpf_trace_run*",
    "__bpf_trace_*",
    "__traceiter_*",
    "bpf_get_stack*",
    "bpf_get_task_stack*",
    "perf_trace_*",
    "trace_event_raw_event_*",
    "perf_tp_event*",
    "perf_syscall_*",
    "trace_call_bpf*",
    "perf_call_bpf_*",
    "kprobe_ftrace_handler",
    "kprobe_dispatcher",
    "kprobe_perf_func",
    "kprobe_multi_link_*",
    "kretprobe_trampoline*",
    "__kretprobe_trampoline*",
    "kretprobe_*dispatcher",
    "kretprobe_perf_func",
    "kretprobe_rethook_handler",
    "arch_rethook_trampoline*",
    "rethook_trampoline_handler",
    "fprobe_*handler",
    "fprobe_*entry",
    "ftrace_call",
    "ftrace_*_call",
    "ftrace_*caller",
    "ftrace_trampoline",
    "*ftrace_ops_list_func",
    "ftrace_ops_assist_func",
    "ftrace_graph_func",
    "function_graph_enter*",
    "ftrace_return_to_handler",
    "return_to_handler",
    NULL,
};

/* Any name of the address counts: which one is shown says nothing about what it is. */
static bool matches(const struct ksyms *ks, const struct ksym *sym, const char *const *globs)
{
	size_t i = sym - ks->syms, end = next_address(ks, i);

	for (; globs && i < end; i++)
		for (const char *const *glob = globs; *glob; glob++)
			if (!fnmatch(*glob, ksym_name(ks, &ks->syms[i]), 0))
				return true;
	return false;
}

static bool is_machine(const struct ksyms *ks, uint64_t addr)
{
	const struct ksym *sym = ksyms_find(ks, addr);
	const char *module;
	uint8_t *bits;

	if (!sym)
		return true;
	bits = &ks->memo->bits[sym - ks->syms];
	if (*bits & MACHINE_KNOWN)
		return *bits & MACHINE;
	module = ksym_module(ks, sym);
	*bits |= MACHINE_KNOWN;
	if ((module && !strcmp(module, "bpf")) || matches(ks, sym, machinery))
		*bits |= MACHINE;
	return *bits & MACHINE;
}

static bool is_leaf(const struct ksyms *ks, uint64_t addr)
{
	const struct ksym *sym = ksyms_find(ks, addr);
	uint8_t *bits;

	if (!sym)
		return false;
	bits = &ks->memo->bits[sym - ks->syms];
	if (!(*bits & LEAF_KNOWN))
		*bits |= LEAF_KNOWN | (matches(ks, sym, ks->memo->leaf) ? LEAF : 0);
	return *bits & LEAF;
}

unsigned ksyms_trim(const struct ksyms *ks, const uint64_t *ip, unsigned n, const char *const *leaf)
{
	unsigned i = 0;

	if (!ks)
		return 0;
	if (ks->memo->leaf != leaf) {
		for (size_t s = 0; s < ks->count; s++)
			ks->memo->bits[s] &= ~(LEAF_KNOWN | LEAF);
		ks->memo->leaf = leaf;
	}
	while (i + 1 < n && is_machine(ks, ip[i]))
		i++;
	/* classic tracepoints of 5.10 store the traced function and then walk from it */
	if (i + 1 < n && ip[i] == ip[i + 1])
		i++;
	while (leaf && i + 1 < n && is_leaf(ks, ip[i]))
		i++;
	return i;
}
