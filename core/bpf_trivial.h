/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A BPF program that does nothing, to see what the kernel takes or to stand where it is hooked. */
#ifndef KTRACE_BPF_TRIVIAL_H
#define KTRACE_BPF_TRIVIAL_H

#include <linux/bpf.h>
#include <stdint.h>

/* btf_id: of the type that it hooks; 0: none. Returns its descriptor, or -errno. */
int bpf_trivial_load(enum bpf_prog_type, enum bpf_attach_type, uint32_t btf_id);

#endif
