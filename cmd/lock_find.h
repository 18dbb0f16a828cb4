/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -L LOCK, and how locks get their names: for every tool on locks. */
#ifndef KTRACE_CMD_LOCK_FIND_H
#define KTRACE_CMD_LOCK_FIND_H

#include "bpf/lock_name.h"
#include "core/plan.h"

/*
 * Fills in how objects are named and, where its name says so, which locks are
 * kept: a symbol of static data, or an address with 0x. Returns OK, or USAGE, said.
 */
enum status lock_find_prepare(struct lock_filter *, const struct plan *);

/*
 * Address ranges of these functions (NULL-terminated), at most max; those that the kernel
 * has not are left out. Returns how many.
 */
uint32_t lock_find_functions(const struct plan *, const char *const *functions,
			     struct address_range *out, uint32_t max);

#endif
