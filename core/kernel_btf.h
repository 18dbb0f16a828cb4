/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The types of the running kernel, or of one in a file: read where they lie, asked for by name. */
#ifndef KTRACE_KERNEL_BTF_H
#define KTRACE_KERNEL_BTF_H

#include <stdint.h>

#include "core/btf_types.h"

struct kernel_btf;

/* Opened at the first call, and kept until dropped. NULL: there are none, or no BTF. */
struct kernel_btf *kernel_btf(void);
void kernel_btf_drop(void);
/* Another kernel's: a file of BTF, or an ELF file with some. Returns 0 or -errno. */
int kernel_btf_open_file(struct kernel_btf **, const char *path);
void kernel_btf_close(struct kernel_btf *);

/* Notes what kernel_btf_find() will be asked, so that one pass answers it all. 0 or -ENOMEM. */
int kernel_btf_expect(struct kernel_btf *, const char *name, uint32_t kind);
/* Passes over the types for what is noted. Returns 0, -EINVAL (malformed), -ENOMEM. */
int kernel_btf_look(struct kernel_btf *);
/* The first type of that name and kind; 0: none. What nobody expected costs a pass of its own. */
uint32_t kernel_btf_find(struct kernel_btf *, const char *name, uint32_t kind);
/* The ids of all that was looked for; 0 for what is not there. */
const uint32_t *kernel_btf_found(const struct kernel_btf *, size_t *n);
struct btf_types *kernel_btf_types(struct kernel_btf *);

#endif
