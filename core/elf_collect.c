// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/elf_collect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/grow.h"

#define MAX_ENTRIES (1U << 24)   /* of a table; read in pieces, not kept */
#define MAX_FUNCTIONS (1U << 22) /* of these */
#define MAX_NAMES (256U << 20)   /* bytes of all string tables */
#define PIECE 4096               /* entries read at once */

/* A rank, from its highest bit on. */
#define RANK_LABEL (1U << 30)
#define RANK_LOCAL (1U << 29)
#define RANK_UNDERSCORES 23 /* 6 bits */
#define RANK_WEAK (1U << 22)
#define RANK_LENGTH (RANK_WEAK - 1)

/* One table while it is read. */
struct reading {
	struct elf_collection *c;
	const struct elf_image *image;
	size_t strings, strings_size; /* its string table in c->names */
	uint64_t budget;              /* bytes of names that may still be looked at */
};

void elf_collect_places(struct elf_collection *c, const struct elf_image *image)
{
	for (size_t i = 0; i < image->n_segments && c->n_places < ELF_PLACES_MAX; i++) {
		const Elf64_Phdr *segment = &image->segments[i];
		struct elf_place *place = &c->places[c->n_places];

		if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X))
			continue;
		place->address = segment->p_vaddr;
		place->offset = segment->p_offset;
		place->size = segment->p_filesz;
		/* 4 GB of a file are enough, and halve the table */
		if (place->offset < UINT32_MAX && place->size) {
			if (place->size > UINT32_MAX - place->offset)
				place->size = UINT32_MAX - place->offset;
			c->n_places++;
		}
	}
}

static const struct elf_place *find_place(const struct elf_collection *c, uint64_t address)
{
	for (size_t i = 0; i < c->n_places; i++)
		if (address - c->places[i].address < c->places[i].size)
			return &c->places[i];
	return NULL;
}

static const Elf64_Shdr *section_of(const struct elf_image *image, const Elf64_Sym *symbol)
{
	const Elf64_Shdr *section;

	if (symbol->st_shndx >= image->n_sections)
		return NULL;
	section = &image->sections[symbol->st_shndx];
	return symbol->st_value - section->sh_addr < section->sh_size ? section : NULL;
}

static bool is_function(const struct elf_image *image, const Elf64_Sym *symbol)
{
	const Elf64_Shdr *section;

	if (symbol->st_shndx == SHN_UNDEF ||
	    (symbol->st_shndx >= SHN_LORESERVE && symbol->st_shndx != SHN_XINDEX))
		return false;
	switch (ELF64_ST_TYPE(symbol->st_info)) {
	case STT_FUNC:
	case STT_GNU_IFUNC:
		return true;
	case STT_NOTYPE:
		section = section_of(image, symbol);
		return section && section->sh_flags & SHF_EXECINSTR;
	default:
		return false;
	}
}

/* $x and $d mark code and data on arm64 and riscv, .L is a local label of the compiler. */
static bool is_mark(const char *name)
{
	return name[0] == '$' || (name[0] == '.' && name[1] == 'L');
}

static uint32_t rank_of(const Elf64_Sym *symbol, const char *name, size_t len)
{
	uint32_t bind = ELF64_ST_BIND(symbol->st_info), underscores = 0;

	while (underscores < 63 && name[underscores] == '_')
		underscores++;
	return (ELF64_ST_TYPE(symbol->st_info) == STT_NOTYPE ? RANK_LABEL : 0) |
	       (bind == STB_LOCAL ? RANK_LOCAL : 0) | underscores << RANK_UNDERSCORES |
	       (bind == STB_WEAK ? RANK_WEAK : 0) | (len < RANK_LENGTH ? len : RANK_LENGTH);
}

bool elf_candidate_is_label(const struct elf_candidate *candidate)
{
	return candidate->rank & RANK_LABEL;
}

/*
 * Cuts "@VERSION" off, for all names that share these bytes. Returns the length; 0: no name.
 * Names may overlap, so that a small file could have us walk the same bytes without end.
 */
static int take_name(struct reading *r, uint32_t offset, size_t *len)
{
	char *name = r->c->names + r->strings + offset, *version;

	*len = strlen(name);
	if (*len >= r->budget)
		return -EFBIG;
	r->budget -= *len + 1;
	version = memchr(name, '@', *len);
	if (version) {
		*version = '\0';
		*len = (size_t)(version - name);
	}
	return 0;
}

static int take_symbol(struct reading *r, const Elf64_Sym *symbol)
{
	struct elf_collection *c = r->c;
	const struct elf_place *place;
	const Elf64_Shdr *section;
	struct elf_candidate *new;
	uint64_t address = symbol->st_value, reach;
	size_t len;
	int err;

	if (!is_function(r->image, symbol) || symbol->st_name >= r->strings_size)
		return 0;
	if (r->image->machine == EM_ARM)
		address &= ~(uint64_t)1; /* says that it is Thumb code */
	place = find_place(c, address);
	if (!place)
		return 0;
	err = take_name(r, symbol->st_name, &len);
	if (err || !len)
		return err;
	if (ELF64_ST_TYPE(symbol->st_info) == STT_NOTYPE &&
	    is_mark(c->names + r->strings + symbol->st_name))
		return 0;
	if (c->n >= MAX_FUNCTIONS)
		return -EFBIG;
	if (grow((void **)&c->at, &c->room, c->n + 1, sizeof(*c->at), 1024))
		return -ENOMEM;
	reach = place->size - (address - place->address);
	section = section_of(r->image, symbol);
	if (!symbol->st_size && section && section->sh_addr + section->sh_size - address < reach)
		reach = section->sh_addr + section->sh_size - address;
	new = &c->at[c->n++];
	new->start = (uint32_t)(place->offset + (address - place->address));
	new->size =
	    (uint32_t)(symbol->st_size && symbol->st_size < reach ? symbol->st_size : reach);
	new->name = (uint32_t)(r->strings + symbol->st_name);
	new->rank = rank_of(symbol, c->names + new->name, len);
	new->is_open = !symbol->st_size;
	return 0;
}

static Elf64_Sym symbol_at(const struct elf_image *image, const uint8_t *entries, size_t i)
{
	Elf64_Sym wide;
	Elf32_Sym narrow;

	if (image->wide) {
		memcpy(&wide, entries + i * sizeof(wide), sizeof(wide));
		return wide;
	}
	memcpy(&narrow, entries + i * sizeof(narrow), sizeof(narrow));
	return (Elf64_Sym){.st_name = narrow.st_name,
			   .st_info = narrow.st_info,
			   .st_shndx = narrow.st_shndx,
			   .st_value = narrow.st_value,
			   .st_size = narrow.st_size};
}

static int take_entries(struct reading *r, const Elf64_Shdr *table)
{
	size_t entry = r->image->wide ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
	uint64_t n = table->sh_size / entry, done, piece;
	uint8_t *entries;
	int err = 0;

	if (n > MAX_ENTRIES)
		return -EFBIG;
	entries = malloc(PIECE * entry);
	if (!entries)
		return -ENOMEM;
	for (done = 0; done < n && !err; done += piece) {
		piece = n - done < PIECE ? n - done : PIECE;
		if (!elf_image_read(r->image, table->sh_offset + done * entry, entries,
				    piece * entry))
			break;
		for (size_t i = 0; i < piece && !err; i++) {
			Elf64_Sym symbol = symbol_at(r->image, entries, i);

			err = take_symbol(r, &symbol);
		}
	}
	free(entries);
	return err;
}

/* Puts the table's names behind those that are there. */
static int take_strings(struct reading *r, const Elf64_Shdr *strings)
{
	struct elf_collection *c = r->c;
	char *bigger;

	if (strings->sh_size >= MAX_NAMES - c->names_size)
		return -EFBIG;
	bigger = realloc(c->names, c->names_size + strings->sh_size + 1);
	if (!bigger)
		return -ENOMEM;
	c->names = bigger;
	if (!elf_image_read(r->image, strings->sh_offset, bigger + c->names_size, strings->sh_size))
		return 0;
	r->strings = c->names_size;
	r->strings_size = strings->sh_size;
	r->budget = 2 * (uint64_t)r->strings_size + (64U << 20);
	c->names_size += r->strings_size + 1;
	bigger[c->names_size - 1] = '\0';
	return 0;
}

int elf_collect(struct elf_collection *c, const struct elf_image *image, uint32_t type)
{
	struct reading r = {.c = c, .image = image};
	const Elf64_Shdr *table = NULL;
	int err;

	for (size_t i = 1; i < image->n_sections && !table; i++)
		if (image->sections[i].sh_type == type && elf_image_has(image, &image->sections[i]))
			table = &image->sections[i];
	if (!table || table->sh_link >= image->n_sections ||
	    !elf_image_has(image, &image->sections[table->sh_link]))
		return 0;
	err = take_strings(&r, &image->sections[table->sh_link]);
	return err || !r.strings_size ? err : take_entries(&r, table);
}

void elf_collect_free(struct elf_collection *c)
{
	free(c->at);
	free(c->names);
	*c = (struct elf_collection){0};
}
