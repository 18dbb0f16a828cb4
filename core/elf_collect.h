/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions as the symbol tables of ELF files have them: for core/elf_symbols.c only. */
#ifndef KTRACE_ELF_COLLECT_H
#define KTRACE_ELF_COLLECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/elf_image.h"

#define ELF_PLACES_MAX 64

/* An executable part of the file, and where it is mapped. */
struct elf_place {
	uint64_t address, offset, size;
};

struct elf_candidate {
	uint32_t start, size;     /* in the file; of an open one the most that it may be */
	uint32_t name;            /* in names */
	unsigned int rank : 31;   /* among the names of one address; the lowest is the best */
	unsigned int is_open : 1; /* the table has no size for it */
};

struct elf_collection {
	struct elf_place places[ELF_PLACES_MAX];
	size_t n_places;
	struct elf_candidate *at;
	size_t n, room;
	char *names; /* whole string tables, one behind the other, each ended by NUL */
	size_t names_size;
};

/* Where the file's functions can lie: before its symbols, and those of its debug files. */
void elf_collect_places(struct elf_collection *, const struct elf_image *);
/*
 * Adds the functions of the first table of that type (SHT_SYMTAB, SHT_DYNSYM) that lie in
 * a place. No such table, or one that cannot be read, adds none. Returns 0, -EFBIG or -ENOMEM.
 */
int elf_collect(struct elf_collection *, const struct elf_image *, uint32_t type);
/* Is it a label without a type, such as hand-written assembly has? */
bool elf_candidate_is_label(const struct elf_candidate *);
void elf_collect_free(struct elf_collection *);

#endif
