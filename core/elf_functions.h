/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions that an ELF file defines, to be hooked: by .symtab and .dynsym. */
#ifndef KTRACE_ELF_FUNCTIONS_H
#define KTRACE_ELF_FUNCTIONS_H

#include <libelf.h>
#include <stdint.h>

struct elf_function {
	const char *name; /* less its version; for the time of the call */
	uint64_t address; /* of the program; never 0 */
	uint64_t size;
};

/*
 * Calls take with each function symbol, which may come twice, until it returns other than 0.
 * Returns that, or 0.
 */
int elf_functions_each(Elf *, int (*take)(void *arg, const struct elf_function *), void *arg);
/* Where an address of the program lies in the file; 0: in no executable segment of it. */
uint64_t elf_functions_offset(Elf *, uint64_t address);

#endif
