/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a kernel (and our privileges on it) offers, as facts: a key and a
 * value. Written as text, a file of facts is a kernel on which plans can be
 * tested, and what a user attaches to a bug report.
 *
 *   kernel arch cpus          as uname(2) and the system say
 *   rt                        yes | no: PREEMPT_RT
 *   btf                       yes | no: REASON
 *   tracefs                   its path | no: REASON
 *   kallsyms                  yes | no: REASON
 *   via.KIND                  yes | no: REASON, for each kind of hook
 *   tp.CATEGORY:EVENT         yes | no | unknown (tracefs cannot be read)
 *   proto.EVENT               its argument types separated by ';' | no
 *   kfunc.NAME, helper.NAME, type.NAME
 *                             yes | no, from BTF
 *   fn.FUNCTION               yes | symbol: BTF does not describe it | no: targets of hooks
 *   numa_balancing            yes | off: REASON | no: REASON
 *   numa_nodes                yes | off: REASON: there is only one
 */
#ifndef KTRACE_CAPS_H
#define KTRACE_CAPS_H

#include <stdbool.h>
#include <stdio.h>

#include "core/tool.h"

struct opts;
struct symbols;

struct caps_fact {
	char *key, *value;
};

struct caps {
	struct caps_fact *facts;
	size_t n, cap;
};

/*
 * Asks the running kernel for the facts that these tools need (NULL-terminated): with opts, of
 * the only tool, for what these ask of it. Loads trial programs and closes them at once; changes
 * nothing. symbols are read where it takes that. Without opts, and to explain, one is attached
 * to a function, too, whose detaching takes the kernel a grace period; else via.fentry means
 * only that such a program loads.
 * Returns OK, or FAILED or USAGE, said.
 */
enum status caps_probe(struct caps *, const struct tool *const *, const struct opts *,
		       struct symbols *);
/* Value of a fact, NULL when it is not there. */
const char *caps_get(const struct caps *, const char *key);
/* Does the fact exist and begin with "yes"? */
bool caps_yes(const struct caps *, const char *key);
/* 0 or -ENOMEM; replaces an older value. */
int caps_set(struct caps *, const char *key, const char *value);
void caps_write(const struct caps *, FILE *);
/* OK, or FAILED or USAGE, said. */
enum status caps_read(struct caps *, const char *path);
void caps_free(struct caps *);

#endif
