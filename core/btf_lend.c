// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libbpf reads all types of the kernel again for each object and looks for each name among them
 * all, and it takes them from nobody. So the linker puts functions of ours in the place of some
 * of its own (--wrap, see CMakeLists.txt): it works with few types, in all that it does, and
 * where a program goes to the kernel their ids become those that the kernel knows. The functions
 * have no argument of ours: what is lent stands in a variable of this file.
 */
#include "core/btf_lend.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/btf_prune.h"
#include "core/kernel_btf.h"

static struct btf_pruned lent; /* bytes NULL: nothing is */

struct btf *__real_btf__load_vmlinux_btf(void);
struct btf *__wrap_btf__load_vmlinux_btf(void);
int __real_bpf_prog_load(enum bpf_prog_type, const char *name, const char *license,
			 const struct bpf_insn *, size_t n, const struct bpf_prog_load_opts *);
int __wrap_bpf_prog_load(enum bpf_prog_type, const char *name, const char *license,
			 const struct bpf_insn *, size_t n, const struct bpf_prog_load_opts *);
int __real_bpf_btf_get_next_id(__u32 id, __u32 *next);
int __wrap_bpf_btf_get_next_id(__u32 id, __u32 *next);

/* It frees what it gets. */
struct btf *__wrap_btf__load_vmlinux_btf(void)
{
	return lent.bytes ? btf__new(lent.bytes, (__u32)lent.len) : __real_btf__load_vmlinux_btf();
}

/* Types of modules, after those of the kernel: no hook of ours is on a function of a module. */
int __wrap_bpf_btf_get_next_id(__u32 id, __u32 *next)
{
	if (!lent.bytes)
		return __real_bpf_btf_get_next_id(id, next);
	errno = ENOENT;
	return -ENOENT;
}

static void to_kernel_id(__s32 *id)
{
	if (*id > 0 && (uint32_t)*id < lent.n)
		*id = (__s32)lent.id[*id];
}

/* Does the instruction name a type, or a function, of the kernel itself? */
static bool names_type(const struct bpf_insn *insn)
{
	if (insn->code == (BPF_JMP | BPF_CALL))
		return insn->src_reg == BPF_PSEUDO_KFUNC_CALL && !insn->off;
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW) && insn->src_reg == BPF_PSEUDO_BTF_ID &&
	       !insn[1].imm;
}

int __wrap_bpf_prog_load(enum bpf_prog_type type, const char *name, const char *license,
			 const struct bpf_insn *insns, size_t n,
			 const struct bpf_prog_load_opts *given)
{
	struct bpf_prog_load_opts opts = {.sz = sizeof(opts)};
	struct bpf_insn *copy;
	size_t i;
	int fd;

	if (!lent.bytes || !given)
		return __real_bpf_prog_load(type, name, license, insns, n, given);
	/* libbpf tries again with the instructions that it has: they stay. */
	copy = malloc(n * sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	memcpy(copy, insns, n * sizeof(*copy));
	for (i = 0; i < n; i += insns[i].code == (BPF_LD | BPF_IMM | BPF_DW) ? 2 : 1)
		if (names_type(&insns[i]))
			to_kernel_id(&copy[i].imm);
	memcpy(&opts, given, given->sz < sizeof(opts) ? given->sz : sizeof(opts));
	if (!opts.attach_prog_fd && !opts.attach_btf_obj_fd)
		to_kernel_id((__s32 *)&opts.attach_btf_id);
	fd = __real_bpf_prog_load(type, name, license, copy, n, &opts);
	free(copy);
	return fd;
}

/* CO-RE relocates by all that are listed. */
static bool is_relocated(const struct btf_type *type)
{
	return BTF_BIT(btf_kind(type)) & BTF_LISTED;
}

/*
 * A function of the kernel that is called. To libbpf it looks like a global one of ours, which
 * would be looked for in vain, in a pass of its own; but the kernel's are called bpf_ something.
 */
static bool is_called(const struct btf_type *type, const char *name)
{
	return btf_is_func(type) && btf_vlen(type) != BTF_FUNC_STATIC && !strncmp(name, "bpf_", 4);
}

/* struct NAME___OLD stands for the kernel's struct NAME. */
static int ask(struct kernel_btf *kernel, const struct bpf_object *object, struct btf_names *names)
{
	const struct btf *btf = bpf_object__btf(object);
	uint32_t n = btf__type_cnt(btf), i;
	int err = 0;

	for (i = 1; i < n && !err; i++) {
		const struct btf_type *type = btf__type_by_id(btf, i);
		const char *text = btf__name_by_offset(btf, type->name_off), *flavor;

		if (!text)
			continue;
		flavor = strstr(text, "___");
		if (is_relocated(type))
			err = btf_names_add(names, text,
					    flavor ? (size_t)(flavor - text) : strlen(text),
					    BTF_LISTED, BTF_FLAVORS);
		else if (is_called(type, text))
			err = kernel_btf_expect(kernel, text, BTF_KIND_FUNC);
	}
	return err;
}

int btf_lend(struct kernel_btf *kernel, const struct bpf_object *object)
{
	struct btf_names names = {};
	const uint32_t *ids;
	size_t n_ids;
	int err = ask(kernel, object, &names);

	btf_lend_end();
	if (!err)
		err = kernel_btf_look(kernel);
	if (!err) {
		ids = kernel_btf_found(kernel, &n_ids);
		err = btf_prune(kernel_btf_types(kernel), &names, ids, n_ids, &lent);
	}
	btf_names_free(&names);
	return err;
}

void btf_lend_end(void)
{
	btf_pruned_free(&lent);
}
