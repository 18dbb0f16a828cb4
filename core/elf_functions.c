// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/elf_functions.h"

#include <gelf.h>
#include <stdio.h>
#include <string.h>

struct visit {
	Elf *elf;
	int (*take)(void *arg, const struct elf_function *);
	void *arg;
};

uint64_t elf_functions_offset(Elf *elf, uint64_t address)
{
	GElf_Phdr segment;
	size_t n = 0, i;

	if (elf_getphdrnum(elf, &n))
		return 0;
	for (i = 0; i < n; i++)
		if (gelf_getphdr(elf, (int)i, &segment) && segment.p_type == PT_LOAD &&
		    (segment.p_flags & PF_X) && address >= segment.p_vaddr &&
		    address - segment.p_vaddr < segment.p_filesz)
			return address - segment.p_vaddr + segment.p_offset;
	return 0;
}

static int visit_symbol(const struct visit *visit, const GElf_Sym *symbol, const char *raw)
{
	struct elf_function function = {.address = symbol->st_value, .size = symbol->st_size};
	char name[200];

	if (GELF_ST_TYPE(symbol->st_info) != STT_FUNC || symbol->st_shndx == SHN_UNDEF ||
	    !symbol->st_value || !raw || !*raw)
		return 0;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(raw, "@"), raw);
	function.name = name;
	return visit->take(visit->arg, &function);
}

static int visit_table(const struct visit *visit, Elf_Scn *section, const GElf_Shdr *header)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t n = header->sh_entsize ? header->sh_size / header->sh_entsize : 0, i;
	GElf_Sym symbol;
	int err = 0;

	for (i = 0; data && i < n && !err; i++)
		if (gelf_getsym(data, (int)i, &symbol))
			err = visit_symbol(visit, &symbol,
					   elf_strptr(visit->elf, header->sh_link, symbol.st_name));
	return err;
}

int elf_functions_each(Elf *elf, int (*take)(void *arg, const struct elf_function *), void *arg)
{
	const struct visit visit = {elf, take, arg};
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	int err = 0;

	while (!err && (section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, &header) &&
		    (header.sh_type == SHT_SYMTAB || header.sh_type == SHT_DYNSYM))
			err = visit_table(&visit, section, &header);
	return err;
}
