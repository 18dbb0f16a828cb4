// SPDX-License-Identifier: GPL-2.0-or-later
/* The functions of an allocator in a file, by their names. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/heap.h"
#include "core/elf_functions.h"
#include "core/grow.h"
#include "core/heap.h"
#include "core/heap_place.h"

#define CODE_MAX 512 /* bytes of a function that are searched for calls */

struct heap_name {
	const char *name;
	enum heap_function function;
};

/*
 * Where a function has several names the first here counts.
 * Allocators that go by a prefix (je_malloc, mi_free) have the same names behind it. An
 * operator of C++ that the allocator implements itself is like malloc(), which it need not call.
 */
static const struct heap_name names[] = {
    {"malloc", HEAP_MALLOC},
    {"valloc", HEAP_MALLOC},
    {"pvalloc", HEAP_MALLOC},
    {"mallocx", HEAP_MALLOC}, /* jemalloc's own */
    {"memalign", HEAP_MEMALIGN},
    {"aligned_alloc", HEAP_MEMALIGN},
    {"calloc", HEAP_CALLOC},
    {"realloc", HEAP_REALLOC},
    {"rallocx", HEAP_REALLOC},
    {"reallocarray", HEAP_REALLOCARRAY},
    {"posix_memalign", HEAP_POSIX_MEMALIGN},
    {"free", HEAP_FREE},
    {"cfree", HEAP_FREE},
    {"free_sized", HEAP_FREE}, /* C23 */
    {"free_aligned_sized", HEAP_FREE},
    {"dallocx", HEAP_FREE},
    {"sdallocx", HEAP_FREE},
    {"_Znwm", HEAP_NEW}, /* operator new, new[] */
    {"_Znam", HEAP_NEW},
    {"_ZnwmRKSt9nothrow_t", HEAP_NEW},
    {"_ZnamRKSt9nothrow_t", HEAP_NEW},
    {"_ZnwmSt11align_val_t", HEAP_NEW},
    {"_ZnamSt11align_val_t", HEAP_NEW},
    {"_ZnwmSt11align_val_tRKSt9nothrow_t", HEAP_NEW},
    {"_ZnamSt11align_val_tRKSt9nothrow_t", HEAP_NEW},
    {"_ZdlPv", HEAP_DELETE}, /* operator delete, delete[] */
    {"_ZdaPv", HEAP_DELETE},
    {"_ZdlPvm", HEAP_DELETE},
    {"_ZdaPvm", HEAP_DELETE},
    {"_ZdlPvRKSt9nothrow_t", HEAP_DELETE},
    {"_ZdaPvRKSt9nothrow_t", HEAP_DELETE},
    {"_ZdlPvSt11align_val_t", HEAP_DELETE},
    {"_ZdaPvSt11align_val_t", HEAP_DELETE},
    {"_ZdlPvmSt11align_val_t", HEAP_DELETE},
    {"_ZdaPvmSt11align_val_t", HEAP_DELETE},
    {"_ZdlPvSt11align_val_tRKSt9nothrow_t", HEAP_DELETE},
    {"_ZdaPvSt11align_val_tRKSt9nothrow_t", HEAP_DELETE},
    {"strdup", HEAP_WRAPPER},
    {"strndup", HEAP_WRAPPER},
    {"mmap", HEAP_MAPPER},
    {"mmap64", HEAP_MAPPER},
    {"mremap", HEAP_MAPPER},
    {"sbrk", HEAP_MAPPER},
    {"brk", HEAP_MAPPER},
};
static const char *const prefixes[] = {"", "je_", "mi_", "tc_"};

struct found {
	const struct heap_name *name;
	uint64_t offset, size; /* in the file */
};

/* What of a file is looked at. */
struct heap_file {
	Elf *elf;
	int fd;
	struct found *at;
	size_t n, room;
	bool arm; /* else x86 */
};

static const struct heap_name *name_find(const char *symbol)
{
	size_t i, prefix;

	for (prefix = 0; prefix < sizeof(prefixes) / sizeof(prefixes[0]); prefix++) {
		size_t len = strlen(prefixes[prefix]);

		if (strncmp(symbol, prefixes[prefix], len))
			continue;
		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (!strcmp(symbol + len, names[i].name))
				return &names[i];
	}
	return NULL;
}

static bool does_free(const struct found *found)
{
	return found->name->function == HEAP_FREE || found->name->function == HEAP_DELETE;
}

static int take_function(void *file_, const struct elf_function *function)
{
	struct found found = {.name = name_find(function->name), .size = function->size};
	struct heap_file *file = file_;
	size_t i;

	if (found.name)
		found.offset = elf_functions_offset(file->elf, function->address);
	if (!found.offset)
		return 0;
	for (i = 0; i < file->n; i++) /* .symtab has what .dynsym has, and there are aliases */
		if (file->at[i].offset == found.offset) {
			if (found.name < file->at[i].name)
				file->at[i].name = found.name;
			return 0;
		}
	if (grow((void **)&file->at, &file->room, file->n + 1, sizeof(*file->at), 32))
		return -ENOMEM;
	file->at[file->n++] = found;
	return 0;
}

/* Where a call or jump at code[i], which lies at offset, leads; 0: there is none. */
static uint64_t jump_target(const struct heap_file *file, const unsigned char *code, size_t len,
			    size_t i, uint64_t offset)
{
	int32_t away;

	if (file->arm) {
		uint32_t word;

		if (i % 4 || i + 4 > len)
			return 0;
		memcpy(&word, code + i, sizeof(word));
		if ((word & 0x7c000000) != 0x14000000) /* B, BL */
			return 0;
		away = (int32_t)(word << 6) >> 4;
		return offset + i + (uint64_t)(int64_t)away;
	}
	if (i + 5 > len || (code[i] != 0xe8 && code[i] != 0xe9 && /* CALL, JMP, Jcc */
			    !(code[i] >= 0x80 && code[i] <= 0x8f && i && code[i - 1] == 0x0f)))
		return 0;
	memcpy(&away, code + i + 1, sizeof(away));
	return offset + i + 5 + (uint64_t)(int64_t)away;
}

/* The function's first bytes; returns how many. */
static size_t read_code(const struct heap_file *file, const struct found *found,
			unsigned char code[CODE_MAX])
{
	size_t want = found->size < CODE_MAX ? found->size : CODE_MAX;
	ssize_t len = pread(file->fd, code, want, (off_t)found->offset);

	return len > 0 ? (size_t)len : 0;
}

/* Does the function call another of those found, one that does the same as it? */
static bool calls_another(const struct heap_file *file, const struct found *found)
{
	bool frees = does_free(found);
	unsigned char code[CODE_MAX];
	size_t len = read_code(file, found, code), i, k;
	uint64_t target;

	for (i = 0; i < len; i++) {
		target = jump_target(file, code, len, i, found->offset);
		for (k = 0; target && k < file->n; k++)
			if (file->at[k].offset == target && &file->at[k] != found &&
			    does_free(&file->at[k]) == frees)
				return true;
	}
	return false;
}

/*
 * libstdc++'s operators call malloc() and free(), which are seen; linked statically they lie
 * beside them. A hook at the return of an operator that throws would end the program.
 * Returns HEAP_FUNCTIONS for what is not hooked.
 */
static enum heap_function function_of(const struct heap_file *file, const struct found *found,
				      bool allocates)
{
	enum heap_function function = found->name->function;
	bool may_call = function == HEAP_NEW || does_free(found);

	if (function == HEAP_WRAPPER || function == HEAP_MAPPER ||
	    (allocates && !(may_call && calls_another(file, found))))
		return function;
	return function == HEAP_NEW ? HEAP_WRAPPER : HEAP_FUNCTIONS;
}

static int add_targets(struct targets *targets, struct heap_file *file, const char *path,
		       bool wrappers_only, bool allocates)
{
	struct target target = {.kind = TARGET_HEAP};
	unsigned char code[CODE_MAX];
	char *own = NULL;
	size_t i;
	int err = 0;

	for (i = 0; i < file->n && !err; i++) {
		target.function = function_of(file, &file->at[i], allocates);
		if (target.function == HEAP_FUNCTIONS ||
		    (wrappers_only && target.function < HEAP_WRAPPER))
			continue;
		own = strdup(path);
		err = own ? targets_binary(targets, own, &target.binary) : -ENOMEM;
		target.address =
		    file->at[i].offset + heap_place(code, read_code(file, &file->at[i], code));
		if (!err)
			err = targets_add(targets, &target, file->at[i].name->name);
	}
	return err;
}

/* Of 64 bits, for the machine that we run on. */
static bool is_usable(struct heap_file *file)
{
	GElf_Ehdr header;

	if (!file->elf || elf_kind(file->elf) != ELF_K_ELF || !gelf_getehdr(file->elf, &header) ||
	    header.e_ident[EI_CLASS] != ELFCLASS64)
		return false;
#if defined(__aarch64__)
	file->arm = true;
	return header.e_machine == EM_AARCH64;
#else
	return header.e_machine == EM_X86_64;
#endif
}

static bool has_malloc(const struct heap_file *file)
{
	size_t i;

	for (i = 0; i < file->n; i++)
		if (!strcmp(file->at[i].name->name, "malloc"))
			return true;
	return false;
}

int heap_take_file(struct targets *targets, const char *path, bool wrappers_only, bool *allocates)
{
	struct heap_file file = {.fd = open(path, O_RDONLY | O_CLOEXEC)};
	bool own;
	int err;

	if (file.fd < 0)
		return -errno;
	elf_version(EV_CURRENT);
	file.elf = elf_begin(file.fd, ELF_C_READ_MMAP, NULL);
	err = is_usable(&file) ? elf_functions_each(file.elf, take_function, &file) : -ENOEXEC;
	own = has_malloc(&file);
	if (!err)
		err = add_targets(targets, &file, path, wrappers_only, own);
	if (!err && own)
		*allocates = true;
	elf_end(file.elf);
	close(file.fd);
	free(file.at);
	return err;
}
