/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of a kernel's types those that are asked for, as BTF of their own. */
#ifndef KTRACE_BTF_PRUNE_H
#define KTRACE_BTF_PRUNE_H

#include "core/btf_types.h"

struct btf_pruned {
	void *bytes; /* a whole BTF */
	size_t len;
	uint32_t *id; /* by its ids: those that the types had before */
	uint32_t n;   /* types, void included */
};

/*
 * The types that the names mean, in their order, those of the ids, and what lies in them. What
 * a pointer points to is void, unless it is one of these. Returns 0, -ENOMEM, or -EINVAL
 * (malformed, or an id of none).
 */
int btf_prune(struct btf_types *, const struct btf_names *, const uint32_t *ids, size_t n_ids,
	      struct btf_pruned *);
void btf_pruned_free(struct btf_pruned *);

#endif
