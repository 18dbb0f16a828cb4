/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of caps_probe() share: for core/caps_probe.c and core/caps_target.c only. */
#ifndef KTRACE_CAPS_PROBE_H
#define KTRACE_CAPS_PROBE_H

#include "core/caps.h"

struct btf;

struct probe {
	struct caps *caps;
	const struct btf *btf; /* NULL: there is none */
	const char *tracefs;
	struct symbols *symbols;
	bool attach; /* not only loads */
	int err;
};

/* Notes a fact; out of memory is kept in err. */
void probe_set(struct probe *, const char *key, const char *value);
/* The facts that plans ask of a hook's target; those known already are not asked again. */
void probe_target(struct probe *, const struct hook *);

#endif
