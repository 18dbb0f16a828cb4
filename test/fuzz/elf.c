// SPDX-License-Identifier: GPL-2.0-or-later
/* Symbols of an ELF file, from memory and through a descriptor, which must tell the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/elf_symbols.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "fuzz: does not hold: %s\n", what);
		abort();
	}
}

static void compare(const struct elf_symbols *a, const struct elf_symbols *b, uint64_t offset)
{
	struct elf_symbol x, y, named;
	bool found = elf_symbols_find(a, offset, &x);

	must(found == elf_symbols_find(b, offset, &y), "the same in memory and file");
	if (!found)
		return;
	must(x.size && offset - x.start < x.size, "the offset is within its function");
	must(*x.name && !strcmp(x.name, y.name) && x.start == y.start, "the same function");
	must(elf_symbols_named(a, x.name, &named), "what has a name is found by it");
	must(named.start <= x.start, "of several the first");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_symbols *memory = NULL, *file = NULL;
	uint8_t id[BUILD_ID_MAX], other[BUILD_ID_MAX];
	int fd = memfd_create("fuzz", MFD_CLOEXEC), err;
	size_t len;

	must(fd >= 0 && write(fd, data, size) == (ssize_t)size, "a file can be made");
	err = elf_symbols_load_memory(&memory, data, size);
	must(err == elf_symbols_load(&file, fd, "/fuzz", "/nonexistent"), "the same verdict");
	if (!err) {
		len = elf_symbols_build_id(memory, id);
		must(len <= BUILD_ID_MAX && len == elf_symbols_build_id(file, other) &&
			 !memcmp(id, other, len),
		     "the same build id");
		for (uint64_t offset = 0; offset < size + 64; offset += 1 + size / 256)
			compare(memory, file, offset);
		compare(memory, file, UINT32_MAX);
		compare(memory, file, UINT64_MAX);
	}
	elf_symbols_free(memory);
	elf_symbols_free(file);
	close(fd);
	return 0;
}
