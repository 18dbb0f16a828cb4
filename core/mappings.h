/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The executable mappings of one program image, ascending and without overlap.
 * Processes that forked share them until one of them maps something more.
 */
#ifndef KTRACE_MAPPINGS_H
#define KTRACE_MAPPINGS_H

#include <stddef.h>
#include <stdint.h>

#define MAPPINGS_MAX 65536 /* of one image */

struct mapping {
	uint64_t start, end;
	uint64_t pgoff; /* bytes: of start in the file; 0 for what is no file */
	uint32_t file;  /* in user_files */
};

/* NULL stands for no mappings in all functions. */
struct mappings;

struct mappings *mappings_share(struct mappings *);
void mappings_drop(struct mappings *);
/*
 * Adds a mapping, copying what is shared; the parts of older ones that it covers are gone.
 * Returns 0, or with all as it was -ENOMEM, or -ENOSPC above MAPPINGS_MAX.
 */
int mappings_put(struct mappings **, const struct mapping *);
const struct mapping *mappings_find(const struct mappings *, uint64_t ip);
size_t mappings_bytes(const struct mappings *); /* memory taken, whoever shares it */
/* Bytes that dropping it would free: none where others share it. */
size_t mappings_own_bytes(const struct mappings *);

#endif
