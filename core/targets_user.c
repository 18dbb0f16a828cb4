// SPDX-License-Identifier: GPL-2.0-or-later
/* Functions of programs and libraries, by .symtab and .dynsym. */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/binary.h"
#include "core/targets.h"

/* What of a file is looked at. */
struct file {
	struct targets *targets;
	Elf *elf;
	uint32_t binary;
	const char *shown; /* how reports call it */
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Where an address lies in the file; 0: in no executable segment of it. */
static uint64_t file_offset(Elf *elf, uint64_t address)
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

static bool is_of_file(const struct pattern *pattern, const void *file)
{
	return pattern->binary == ((const struct file *)file)->binary;
}

static int take_symbol(struct file *file, const GElf_Sym *symbol, const char *raw)
{
	struct target target = {.kind = TARGET_USER, .binary = file->binary};
	char name[200], shown[320];

	if (GELF_ST_TYPE(symbol->st_info) != STT_FUNC || symbol->st_shndx == SHN_UNDEF ||
	    !symbol->st_value || !raw || !*raw)
		return 0;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(raw, "@"), raw); /* less its version */
	snprintf(shown, sizeof(shown), "%s:%s", file->shown, name);
	if (!targets_match(file->targets, TARGET_USER, name, is_of_file, file) ||
	    targets_excluded(file->targets, shown))
		return 0;
	target.address = file_offset(file->elf, symbol->st_value);
	if (!target.address) {
		targets_skip(file->targets, shown, "it is in no executable part of the file");
		return 0;
	}
	return targets_add(file->targets, &target, shown);
}

static int take_table(struct file *file, Elf_Scn *section, const GElf_Shdr *header)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t n = header->sh_entsize ? header->sh_size / header->sh_entsize : 0, i;
	GElf_Sym symbol;
	int err = 0;

	for (i = 0; data && i < n && !err; i++)
		if (gelf_getsym(data, (int)i, &symbol))
			err = take_symbol(file, &symbol,
					  elf_strptr(file->elf, header->sh_link, symbol.st_name));
	return err;
}

static int take_file(struct file *file)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	int err = 0;

	while (!err && (section = elf_nextscn(file->elf, section)))
		if (gelf_getshdr(section, &header) &&
		    (header.sh_type == SHT_SYMTAB || header.sh_type == SHT_DYNSYM))
			err = take_table(file, section, &header);
	return err;
}

static int read_file(struct targets *targets, uint32_t binary, const char *shown)
{
	const char *path = targets->binaries[binary];
	struct file file = {.targets = targets, .binary = binary, .shown = shown};
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;

	if (fd < 0)
		return (int)fail(USAGE, "cannot read %s: %s", path, strerror(errno));
	elf_version(EV_CURRENT);
	file.elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	err = file.elf && elf_kind(file.elf) == ELF_K_ELF
		  ? take_file(&file)
		  : (int)fail(USAGE, "%s is no ELF file", path);
	elf_end(file.elf);
	close(fd);
	return err;
}

static int find_binaries(struct targets *targets, const struct opts *opts)
{
	struct pattern *pattern;
	char *path;
	size_t i;

	for (i = 0; i < targets->patterns.n; i++) {
		pattern = &targets->patterns.at[i];
		if (pattern->kind != TARGET_USER)
			continue;
		path = binary_find(pattern->scope, opts->tgids.n ? opts->tgids.id[0] : 0);
		if (!path)
			return (int)fail(USAGE, "no program or library '%s' (pattern '%s')",
					 pattern->scope, pattern->text);
		if (targets_binary(targets, path, &pattern->binary))
			return -ENOMEM;
	}
	return 0;
}

/* The file's name alone, unless another of ours is called the same. */
static const char *shown_as(const struct targets *targets, size_t binary)
{
	const char *path = targets->binaries[binary], *base = base_name(path);
	size_t i;

	for (i = 0; i < targets->n_binaries; i++)
		if (i != binary && !strcmp(base_name(targets->binaries[i]), base))
			return path;
	return base;
}

static unsigned underscores(const char *name)
{
	const char *colon = strrchr(name, ':');

	return (unsigned)strspn(colon ? colon + 1 : name, "_");
}

/* By place; of several names of one place the one with fewest underscores, then the shortest. */
static int compare_places(const void *a, const void *b)
{
	const struct target *x = a, *y = b;

	if (x->binary != y->binary)
		return x->binary < y->binary ? -1 : 1;
	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	if (underscores(x->name) != underscores(y->name))
		return underscores(x->name) < underscores(y->name) ? -1 : 1;
	if (strlen(x->name) != strlen(y->name))
		return strlen(x->name) < strlen(y->name) ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* .symtab has what .dynsym has, and functions have several names. */
static void drop_doubles(struct targets *targets, size_t first)
{
	struct target *at = targets->at;
	size_t from, to = first;

	if (targets->n == first)
		return;
	qsort(at + first, targets->n - first, sizeof(*at), compare_places);
	for (from = first; from < targets->n; from++) {
		if (to > first && at[to - 1].binary == at[from].binary &&
		    at[to - 1].address == at[from].address)
			free(at[from].name);
		else
			at[to++] = at[from];
	}
	targets->n = to;
}

int targets_find_user(struct targets *targets, const struct opts *opts)
{
	int err = find_binaries(targets, opts);
	size_t first = targets->n;
	uint32_t i;

	for (i = 0; i < targets->n_binaries && !err; i++)
		err = read_file(targets, i, shown_as(targets, i));
	if (err)
		return err;
	drop_doubles(targets, first);
	return 0;
}
