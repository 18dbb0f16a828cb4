/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What remains of mappings of which parts were given back. Pure. */
#ifndef KTRACE_HEAP_CUTS_H
#define KTRACE_HEAP_CUTS_H

#include <stdbool.h>

#include "bpf/heap.h"
#include "core/rowset.h"

struct cut {
	uint64_t start, end, ts_ns;
	uint32_t tgid;
	uint32_t row; /* of the rowset it was read from */
	bool used;    /* it is what makes a mapping smaller that is still there */
};

struct cuts {
	struct cut *at; /* by process and address */
	size_t n;
};

/* From map cuts: keys struct heap_key, values struct heap_cut. 0 or -ENOMEM. */
int cuts_make(struct cuts *, const struct rowset *rows);
void cuts_free(struct cuts *);
/* Bytes of a mapping that no later cut took; 0: it is gone. */
uint64_t cuts_left(struct cuts *, const struct heap_key *, const struct heap_value *);

#endif
