/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which locks are kept, and what a lock is called: for every tool on locks. */
#ifndef KTRACE_LOCK_NAME_H
#define KTRACE_LOCK_NAME_H

#include "bpf/shared.h"
#include "bpf/slab_find.h"

#define LOCK_RANGES 4
#define LOCK_NAME_LEN 96

/* Addresses [lo, hi). */
struct address_range {
	__u64 lo, hi;
};

struct lock_filter {
	char name[LOCK_NAME_LEN];                /* as typed; empty: all locks */
	struct address_range range[LOCK_RANGES]; /* what it stands for; none: all */
	__u32 n, unused;
	struct slab_find find;
};

/* The slab object that a lock lies in; a lock that is static or elsewhere has none. */
struct lock_object {
	char cache[NAME_LEN]; /* empty: none, or this kernel does not tell */
	__u32 offset;         /* in the object; LOCK_NO_OFFSET: not told */
	__u32 unused;
};

#define LOCK_NO_OFFSET (~0U)

#endif
