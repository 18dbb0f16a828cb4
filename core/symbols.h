/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's symbols as one run needs them. /proc/kallsyms is read once: when first asked for,
 * or before in small pieces; and anew when code was loaded meanwhile.
 */
#ifndef KTRACE_SYMBOLS_H
#define KTRACE_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/kernel_code.h"
#include "core/ksyms.h"

struct symbols {
	struct ksyms *text, *data; /* functions, and static data */
	bool text_tried, data_tried;
	bool both; /* the run will ask for both: then one reading gets them */
	int err;   /* why there is no text: -errno */
	struct ksyms_reader *ahead;
	uint64_t ahead_ns; /* when to read on, CLOCK_MONOTONIC */
	uint64_t rest_ns;  /* between two pieces */
	struct kernel_code code;
	bool stale; /* BPF programs came since text was read */
};

/* NULL: there are none. */
struct ksyms *symbols_text(struct symbols *);
/*
 * The same for who wants to name these addresses: read anew when one has no name and BPF programs
 * were loaded since. Pointers into what was read before are no longer valid then.
 */
struct ksyms *symbols_text_of(struct symbols *, const uint64_t *address, size_t n);
struct ksyms *symbols_data(struct symbols *);
/*
 * The address of one symbol; 0: there is none. The kernel is asked; all are read only where it
 * does not tell: functions or, of KSYMS_DATA, data.
 */
uint64_t symbols_address(struct symbols *, const char *name, enum ksyms_kind);
void symbols_free(struct symbols *);

/*
 * Tracing begins: a module that is loaded from now on makes symbols_begin_report() forget what
 * was read. Reading ahead begins a little later, for these moments are the workload's; at once and
 * without a rest where the first of many reports comes soon. interval_ns: 0: there are not many.
 */
void symbols_begin(struct symbols *, uint64_t now_ns, uint64_t interval_ns);
/* Reads functions ahead for a moment. Returns when to call again; UINT64_MAX: never. */
uint64_t symbols_read_ahead(struct symbols *);
/* Pointers into what was read before are no longer valid. */
void symbols_begin_report(struct symbols *);

#endif
