/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memleak: rows as the report has them, and what makes them. */
#ifndef KTRACE_MEMLEAK_H
#define KTRACE_MEMLEAK_H

#include <stdint.h>

#include "bpf/leak.h"
#include "core/fail.h"

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

/* By enum leak_class, as --class and the column have it. */
extern const char *const memleak_classes[LEAK_CLASSES];

/* Bytes of struct leak_value that the columns in want (WANT_) need, as map live has them. */
uint32_t memleak_live_size(uint32_t want);
/* struct tool.collect */
enum status memleak_collect(struct session *, struct snapshot *);

#endif
