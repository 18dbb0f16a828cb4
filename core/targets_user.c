// SPDX-License-Identifier: GPL-2.0-or-later
/* Functions of programs and libraries, by .symtab and .dynsym. */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/binary.h"
#include "core/elf_functions.h"
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

static bool is_of_file(const struct pattern *pattern, const void *file)
{
	return pattern->binary == ((const struct file *)file)->binary;
}

static int take_function(void *file_, const struct elf_function *function)
{
	struct file *file = file_;
	struct target target = {.kind = TARGET_USER, .binary = file->binary};
	char shown[320];

	snprintf(shown, sizeof(shown), "%s:%s", file->shown, function->name);
	if (!targets_match(file->targets, TARGET_USER, function->name, is_of_file, file) ||
	    targets_excluded(file->targets, shown))
		return 0;
	target.address = elf_functions_offset(file->elf, function->address);
	if (!target.address) {
		targets_skip(file->targets, shown, "it is in no executable part of the file");
		return 0;
	}
	return targets_add(file->targets, &target, shown);
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
		  ? elf_functions_each(file.elf, take_function, &file)
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
