/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's symbols as one run needs them: /proc/kallsyms is read once, when first asked for. */
#ifndef KTRACE_SYMBOLS_H
#define KTRACE_SYMBOLS_H

#include <stdbool.h>

struct ksyms;

struct symbols {
	struct ksyms *text, *data; /* functions, and static data */
	bool text_tried, data_tried;
	bool both; /* the run will ask for both: then one reading gets them */
	int err;   /* why there is no text: -errno */
};

/* NULL: there are none. */
struct ksyms *symbols_text(struct symbols *);
struct ksyms *symbols_data(struct symbols *);
void symbols_free(struct symbols *);

#endif
