/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The types of the running kernel: read once, and cut down to what an object's programs read. */
#ifndef KTRACE_KERNEL_BTF_H
#define KTRACE_KERNEL_BTF_H

struct btf;

/* Read at the first call, and kept until libbpf takes it for an object or it is dropped. NULL:
 * none. */
const struct btf *kernel_btf(void);
void kernel_btf_drop(void);
/*
 * Writes those of the kernel's types whose names are in the object's BTF, and what lies in them,
 * as BTF into the file: all that CO-RE relocations can ask for. Returns 0 or -errno.
 */
int kernel_btf_prune(const struct btf *kernel, const struct btf *object, int fd);

#endif
