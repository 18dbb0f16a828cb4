/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memleak: rows as the report has them, and what makes them. */
#ifndef KTRACE_MEMLEAK_H
#define KTRACE_MEMLEAK_H

#include <stdint.h>

#include "bpf/leak.h"
#include "core/tool.h"

struct session;
struct snapshot;

#define CLASS_LEN 16
#define ADDRESS_LEN 24

/* Key of a row: an allocation, as far as its columns are shown. */
struct memleak_key {
	uint64_t kstack, ustack, cgroup;
	uint32_t tgid, tid;
	char comm[COMM_LEN];
	char class[CLASS_LEN];
	char cache[NAME_LEN];
	char addr[ADDRESS_LEN];
};

struct memleak_value {
	uint64_t count, bytes, age_ns;
	int64_t growth_bytes;
};

#define PART(class) (1u << (class)) /* bit of opts.parts, by enum leak_class */

/* struct tool.modes, as hooks have them. */
enum memleak_mode {
	MEMLEAK_KERNEL = 1,
	MEMLEAK_USER,  /* one program at entry and return */
	MEMLEAK_PAIRS, /* one for each */
};

extern const struct hook memleak_hooks[];

/* Bytes of struct leak_value that the columns in want (WANT_) need, as map live has them. */
uint32_t memleak_live_size(uint32_t want);
/* The same of struct heap_value. */
uint32_t memleak_heap_size(uint32_t want);
void memleak_fill_class(struct memleak_key *, uint32_t class);
/*
 * What allocations add to their row. sign: 1 for those that are there, -1 for those that were
 * there at the last report.
 */
struct memleak_value memleak_sums(int sign, uint64_t count, uint64_t bytes, uint64_t age_ns);
/* struct tool.collect, of the kernel's memory and of processes'. */
enum status memleak_collect(struct session *, struct snapshot *);
enum status memleak_heap_collect(struct session *, struct snapshot *);

#endif
