/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Was code loaded into the kernel since? Then kallsyms has names that it had not. */
#ifndef KTRACE_KERNEL_CODE_H
#define KTRACE_KERNEL_CODE_H

#include <stddef.h>
#include <stdint.h>

struct kernel_code {
	uint64_t modules; /* hash of their names and places; 0: there are none */
	uint32_t program; /* the last BPF program; 0: none, or we may not know */
};

/* What is loaded now. code begins as zeros, and is what was loaded when it was looked last. */
void kernel_code_look(struct kernel_code *);
/* Of the text of /proc/modules; how often a module is in use does not count. */
uint64_t kernel_code_modules(const char *text, size_t len);

#endif
