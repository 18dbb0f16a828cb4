// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/context.h"

#include <fnmatch.h>
#include <stddef.h>
#include <string.h>

/*
 * Searched from the leaf, so the innermost context decides; of two rows that
 * match a frame the first does.
 */
static const struct {
	const char *glob, *context;
} marks[] = {
    {"__hrtimer_run_queues", "timer"},
    {"hrtimer_interrupt", "timer"},
    {"call_timer_fn", "timer"},
    {"__run_timers*", "timer"},
    {"run_timer_softirq", "timer"},
    {"handle_softirqs*", "softirq"},
    {"__do_softirq", "softirq"},
    {"do_softirq*", "softirq"},
    {"__handle_irq_event_percpu", "hardirq"},
    {"sysvec_*", "hardirq"},
    {"__sysvec_*", "hardirq"},
    {"asm_sysvec_*", "hardirq"},
    {"common_interrupt*", "hardirq"},
    {"asm_common_interrupt", "hardirq"},
    {"exc_nmi*", "hardirq"},
    {"el1*_irq*", "hardirq"},
    {"el0*_irq*", "hardirq"},
    {"gic_handle_irq", "hardirq"},
};

/* Where the interrupt entered: what lies outward was interrupted. */
static const char *const entries[] = {
    "asm_sysvec_*",         "asm_common_interrupt", "asm_exc_nmi", "ret_from_intr",
    "apic_timer_interrupt", "el1h_64_irq",          "el1_irq",     "el0t_64_irq",
};

/* A name as ksyms_format() makes it: "name+0x1f [module]" matches by its name. */
static int matches(const char *glob, const char *frame)
{
	char name[128];
	size_t len = strcspn(frame, "+ ");

	if (len >= sizeof(name))
		return 0;
	memcpy(name, frame, len);
	name[len] = '\0';
	return !fnmatch(glob, name, 0);
}

const char *context_of(const char *const *names, uint32_t *n, bool *interrupted)
{
	const char *context = NULL;
	uint32_t i;
	size_t k;

	*interrupted = false;
	for (i = 0; i < *n; i++) {
		for (k = 0; !context && k < sizeof(marks) / sizeof(marks[0]); k++)
			if (matches(marks[k].glob, names[i]))
				context = marks[k].context;
		if (!context)
			continue;
		for (k = 0; k < sizeof(entries) / sizeof(entries[0]); k++)
			if (matches(entries[k], names[i])) {
				*n = i + 1;
				*interrupted = true;
				return context;
			}
	}
	return context ? context : CONTEXT_TASK;
}
