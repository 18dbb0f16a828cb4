/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What libbpf is told of the kernel's types while it loads an object. */
#ifndef KTRACE_BTF_LEND_H
#define KTRACE_BTF_LEND_H

struct bpf_object;
struct kernel_btf;

/*
 * From now on libbpf takes for all types of the kernel those whose names are in the object's BTF,
 * and what lies in these, which is all that CO-RE relocations can ask for; the kernel's
 * functions that the object calls; and what kernel_btf_expect() noted, targets to attach to among
 * it. The programs that it loads get the ids by which the kernel knows them. Modules have no types.
 * Returns 0 or -errno.
 */
int btf_lend(struct kernel_btf *, const struct bpf_object *);
void btf_lend_end(void);

#endif
