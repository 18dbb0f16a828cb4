/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of struct ksyms: for core/ksyms.c, ksyms_load.c and ksyms_read.c only. */
#ifndef KTRACE_KSYMS_TABLE_H
#define KTRACE_KSYMS_TABLE_H

#include "core/ksyms.h"

#define NO_MODULE 0

/* What ksyms_trim() found out; outlives the const of struct ksyms. */
struct memo {
	const char *const *leaf;
	uint8_t bits[];
};

struct ksyms {
	struct ksym *syms;
	size_t count, room;
	char *blob; /* names, each ended by NUL */
	size_t blob_used, blob_room;
	uint32_t *modules; /* names in blob; index NO_MODULE is the core kernel */
	size_t module_count, module_room;
	uint64_t stext, etext; /* 0: not in the file */
	bool data;             /* of what is not function */
	struct memo *memo;
};

static inline bool bounded(const struct ksyms *ks)
{
	return ks->stext && ks->etext > ks->stext;
}

/* Index of the first symbol behind the address of symbol i. */
static inline size_t next_address(const struct ksyms *ks, size_t i)
{
	uint64_t start = ks->syms[i].start;

	while (++i < ks->count && ks->syms[i].start == start)
		;
	return i;
}

/*
 * Adds a line, without its newline, to the tables (NULL-terminated) whose kind it is. Sets *shown
 * when its address is not hidden. Returns 0 or -errno.
 */
int ksyms_take_line(struct ksyms *const *tables, const char *s, const char *end, bool *shown);
/* The same of the whole lines of buf[0..*used); moves the rest to its front. */
int ksyms_take_lines(struct ksyms *const *tables, char *buf, size_t *used, bool *shown);
/* Sorts a table that is filled. Returns 0, -ENODATA: it is empty, or -ENOMEM. */
int ksyms_prepare(struct ksyms *);

#endif
