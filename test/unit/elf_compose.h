/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ELF files as the tests want them, good or bad. */
#ifndef KTRACE_TEST_ELF_COMPOSE_H
#define KTRACE_TEST_ELF_COMPOSE_H

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BASE 0x400000 /* address of the file's first byte */
#define TEXT 0x1000   /* offset of .text, which reaches to TEXT_END */
#define TEXT_END 0x2000
#define COMPOSE_ROOM (1 << 17)

enum { IN_TEXT = 1, IN_DATA = 2, N_SECTIONS = 10 }; /* indices of sections */

struct sym {
	const char *name;
	uint64_t offset, size;
	unsigned bind, type, section;
};

#define FUNCTION(name, offset, size)                              \
	{                                                         \
		name, offset, size, STB_GLOBAL, STT_FUNC, IN_TEXT \
	}

struct recipe {
	bool narrow; /* 32 bits */
	uint16_t machine;
	const struct sym *symtab, *dynsym; /* each ended by one without name */
	const void *id;
	size_t id_len;
	const char *extra_name; /* of one more section */
	const void *extra;
	size_t extra_size;
};

struct composed {
	uint8_t *bytes;
	size_t size;
	Elf64_Shdr sections[N_SECTIONS];
	char names[256];
	size_t names_size;
};

static inline void append(struct composed *c, const void *bytes, size_t size)
{
	if (size > COMPOSE_ROOM - c->size)
		abort();
	memcpy(c->bytes + c->size, bytes, size);
	c->size += size;
}

/* Appended to the file as it grows; bytes NULL: it has none there. */
static inline Elf64_Shdr *add_section(struct composed *c, unsigned index, const char *name,
				      uint32_t type, const void *bytes, size_t size)
{
	Elf64_Shdr *section = &c->sections[index];

	c->size = (c->size + 7) & ~(size_t)7;
	section->sh_name = (uint32_t)c->names_size;
	strcpy(c->names + c->names_size, name);
	c->names_size += strlen(name) + 1;
	section->sh_type = type;
	section->sh_offset = c->size;
	section->sh_size = size;
	if (bytes)
		append(c, bytes, size);
	return section;
}

static inline void add_table(struct composed *c, const struct recipe *r, const struct sym *syms,
			     unsigned index)
{
	static const char *const names[] = {".symtab", ".dynsym"};
	char *strings = calloc(1, COMPOSE_ROOM);
	size_t entry = r->narrow ? sizeof(Elf32_Sym) : sizeof(Elf64_Sym), used = 1, n = 1;
	uint8_t *entries = calloc(COMPOSE_ROOM, 1);
	bool dynamic = index > 3;

	for (; syms && syms->name; syms++, n++) {
		Elf64_Sym wide = {.st_name = (uint32_t)used,
				  .st_info = ELF64_ST_INFO(syms->bind, syms->type),
				  .st_shndx = (uint16_t)syms->section,
				  .st_value = BASE + syms->offset,
				  .st_size = syms->size};
		Elf32_Sym narrow = {.st_name = wide.st_name,
				    .st_info = wide.st_info,
				    .st_shndx = wide.st_shndx,
				    .st_value = (uint32_t)wide.st_value,
				    .st_size = (uint32_t)wide.st_size};

		memcpy(entries + n * entry, r->narrow ? (void *)&narrow : (void *)&wide, entry);
		strcpy(strings + used, syms->name);
		used += strlen(syms->name) + 1;
	}
	add_section(c, index, names[dynamic], dynamic ? SHT_DYNSYM : SHT_SYMTAB, entries, n * entry)
	    ->sh_link = index + 1;
	c->sections[index].sh_entsize = entry;
	add_section(c, index + 1, dynamic ? ".dynstr" : ".strtab", SHT_STRTAB, strings, used);
	free(strings);
	free(entries);
}

static inline void add_id(struct composed *c, const struct recipe *r)
{
	Elf64_Nhdr head = {
	    .n_namesz = 4, .n_descsz = (uint32_t)r->id_len, .n_type = NT_GNU_BUILD_ID};
	uint8_t note[1024] = {0};

	memcpy(note, &head, sizeof(head));
	memcpy(note + sizeof(head), "GNU", 4);
	memcpy(note + sizeof(head) + 4, r->id, r->id_len);
	add_section(c, 7, ".note.gnu.build-id", SHT_NOTE, note, sizeof(head) + 4 + r->id_len);
}

static inline void add_sections(struct composed *c, const struct recipe *r)
{
	Elf64_Shdr *section;

	c->names_size = 1;
	section = add_section(c, IN_TEXT, ".text", SHT_NOBITS, NULL, TEXT_END - TEXT);
	section->sh_addr = BASE + TEXT;
	section->sh_flags = SHF_ALLOC | SHF_EXECINSTR;
	section = add_section(c, IN_DATA, ".data", SHT_NOBITS, NULL, 0x1000);
	section->sh_addr = BASE + TEXT_END;
	section->sh_flags = SHF_ALLOC | SHF_WRITE;
	if (r->symtab)
		add_table(c, r, r->symtab, 3);
	if (r->dynsym)
		add_table(c, r, r->dynsym, 5);
	if (r->id)
		add_id(c, r);
	if (r->extra)
		add_section(c, 8, r->extra_name, SHT_PROGBITS, r->extra, r->extra_size);
	section = add_section(c, 9, ".shstrtab", SHT_STRTAB, NULL, 0);
	section->sh_size = c->names_size;
	append(c, c->names, c->names_size);
	c->size = (c->size + 7) & ~(size_t)7; /* for the section headers */
}

static inline void write_wide(struct composed *c, const struct recipe *r)
{
	Elf64_Ehdr header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64,
					 __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 1 : 2, 1},
			     .e_type = ET_EXEC,
			     .e_machine = r->machine,
			     .e_phoff = sizeof(header),
			     .e_phentsize = sizeof(Elf64_Phdr),
			     .e_phnum = 1,
			     .e_shoff = c->size,
			     .e_shentsize = sizeof(Elf64_Shdr),
			     .e_shnum = N_SECTIONS,
			     .e_shstrndx = 9};
	Elf64_Phdr segment = {.p_type = PT_LOAD, .p_flags = PF_R | PF_X};

	segment.p_vaddr = BASE;
	segment.p_filesz = segment.p_memsz = 0x3000;
	append(c, c->sections, sizeof(c->sections));
	memcpy(c->bytes, &header, sizeof(header));
	memcpy(c->bytes + sizeof(header), &segment, sizeof(segment));
}

static inline void write_narrow(struct composed *c, const struct recipe *r)
{
	Elf32_Ehdr header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32,
					 __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 1 : 2, 1},
			     .e_type = ET_EXEC,
			     .e_machine = r->machine,
			     .e_phoff = sizeof(header),
			     .e_phentsize = sizeof(Elf32_Phdr),
			     .e_phnum = 1,
			     .e_shoff = (uint32_t)c->size,
			     .e_shentsize = sizeof(Elf32_Shdr),
			     .e_shnum = N_SECTIONS,
			     .e_shstrndx = 9};
	Elf32_Phdr segment = {.p_type = PT_LOAD, .p_flags = PF_R | PF_X};

	segment.p_vaddr = BASE;
	segment.p_filesz = segment.p_memsz = 0x3000;
	for (unsigned i = 0; i < N_SECTIONS; i++) {
		const Elf64_Shdr *wide = &c->sections[i];
		Elf32_Shdr section = {.sh_name = wide->sh_name,
				      .sh_type = wide->sh_type,
				      .sh_flags = (uint32_t)wide->sh_flags,
				      .sh_addr = (uint32_t)wide->sh_addr,
				      .sh_offset = (uint32_t)wide->sh_offset,
				      .sh_size = (uint32_t)wide->sh_size,
				      .sh_link = wide->sh_link,
				      .sh_entsize = (uint32_t)wide->sh_entsize};

		append(c, &section, sizeof(section));
	}
	memcpy(c->bytes, &header, sizeof(header));
	memcpy(c->bytes + sizeof(header), &segment, sizeof(segment));
}

/* One executable segment from offset 0; .text and .data have no bytes. bytes are to be freed. */
static inline struct composed compose(const struct recipe *r)
{
	struct composed c = {.bytes = calloc(1, COMPOSE_ROOM), .size = 128};

	add_sections(&c, r);
	(r->narrow ? write_narrow : write_wide)(&c, r);
	return c;
}

#endif
