/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of caps_probe() share: for core/caps_probe.c and core/caps_target.c only. */
#ifndef KTRACE_CAPS_PROBE_H
#define KTRACE_CAPS_PROBE_H

#include "core/caps.h"
#include "core/kernel_btf.h"

struct probe {
	struct caps *caps;
	struct kernel_btf *btf; /* NULL: there is none */
	const char *tracefs;
	struct symbols *symbols;
	const struct tool *const *list;
	const struct opts *opts; /* NULL: all that the tools can do is asked for */
	unsigned vias;           /* bits of those that hooks go */
	bool attach;             /* not only loads */
	int err;
};

/* Notes a fact; out of memory is kept in err. */
void probe_set(struct probe *, const char *key, const char *value);
/* The id of a type, 0 where there is none, or no BTF. */
uint32_t probe_type(struct probe *, const char *name, uint32_t kind);
/* Notes a type that will be asked for, and those that probe_target() will. There is BTF. */
void probe_expect(struct probe *, const char *name, uint32_t kind);
void probe_expect_target(struct probe *, const struct hook *);
/* The facts that plans ask of a hook's target; those known already are not asked again. */
void probe_target(struct probe *, const struct hook *);

#endif
