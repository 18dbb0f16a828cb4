/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Lock filter and names. The including file's cfg has a struct lock_filter
 * `locks`, and slab.bpf.h is told to use its find.
 */
#ifndef KTRACE_LOCK_NAME_BPF_H
#define KTRACE_LOCK_NAME_BPF_H

#define SLAB_FIND cfg.locks.find
#include "bpf/slab.bpf.h"

static __always_inline bool keep_lock(__u64 lock)
{
	__u32 i;

	if (!cfg.locks.n)
		return true;
	for (i = 0; i < LOCK_RANGES; i++)
		if (i < cfg.locks.n && lock >= cfg.locks.range[i].lo &&
		    lock < cfg.locks.range[i].hi)
			return true;
	return false;
}

/* For a new row only: a walk through page and slab. */
static __always_inline void lock_object_find(struct lock_object *object, __u64 lock)
{
	struct kmem_cache *cache = object_cache(lock);

	object->offset = LOCK_NO_OFFSET;
	if (!cache)
		return;
	bpf_probe_read_kernel_str(object->cache, sizeof(object->cache), BPF_CORE_READ(cache, name));
	object->offset = object_offset(cache, lock);
}

#endif
