// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libbpf reads all types of the kernel again for each object, and takes them from nobody. So the
 * linker puts our function in the place of its reader (--wrap, see CMakeLists.txt). It has no
 * argument of ours: what was read stands in a variable of this file.
 */
#include "core/kernel_btf.h"

#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/grow.h"

static struct btf *kept;

struct btf *__real_btf__load_vmlinux_btf(void);
struct btf *__wrap_btf__load_vmlinux_btf(void);

/* The file can be mapped from 6.16 on, which saves a call for each page and a copy of all. */
static struct btf *read_mapped(void)
{
	int fd = open("/sys/kernel/btf/vmlinux", O_RDONLY | O_CLOEXEC);
	void *data = MAP_FAILED;
	struct btf *btf = NULL;
	struct stat st;

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && st.st_size > 0 && st.st_size < UINT32_MAX)
		data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (data == MAP_FAILED)
		return NULL;
	btf = btf__new(data, (uint32_t)st.st_size);
	munmap(data, (size_t)st.st_size);
	return btf;
}

const struct btf *kernel_btf(void)
{
	if (!kept)
		kept = read_mapped();
	if (!kept)
		kept = __real_btf__load_vmlinux_btf();
	return kept;
}

void kernel_btf_drop(void)
{
	btf__free(kept);
	kept = NULL;
}

/* What libbpf calls now. It frees what it gets. */
struct btf *__wrap_btf__load_vmlinux_btf(void)
{
	struct btf *btf = kept;

	kept = NULL;
	return btf ? btf : __real_btf__load_vmlinux_btf();
}

struct name {
	const char *text;
	size_t len;
};

struct names {
	struct name *name;
	size_t n, room;
	uint64_t begins[256]; /* by a name's first byte: bits of the second ones that there are */
};

struct pruning {
	const struct btf *from;
	struct btf *to;
	uint32_t *id; /* of each of from's types in to; 0: left out */
};

static int compare_names(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	return x->len != y->len ? (x->len < y->len ? -1 : 1) : memcmp(x->text, y->text, x->len);
}

static bool is_relocated(const struct btf_type *type)
{
	switch (btf_kind(type)) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_INT:
	case BTF_KIND_FLOAT:
		return type->name_off;
	default:
		return false;
	}
}

/* struct NAME___OLD stands for the kernel's struct NAME. */
static struct name name_of(const struct btf *btf, const struct btf_type *type)
{
	const char *text = btf__name_by_offset(btf, type->name_off);
	const char *flavor = text ? strstr(text, "___") : NULL;

	return (struct name){text ? text : "", !text    ? 0
					       : flavor ? (size_t)(flavor - text)
							: strlen(text)};
}

/* The bit of the second byte, which tells most names apart. In "x___old" it is none of the name. */
static uint64_t second_byte(const char *text)
{
	return 1ULL << (*text && text[1] != '_' ? text[1] & 63 : 0);
}

static bool names_may_have(const struct names *names, const char *text)
{
	return text && names->begins[(unsigned char)*text] & second_byte(text);
}

static int names_read(struct names *names, const struct btf *object)
{
	uint32_t n = btf__type_cnt(object), i;

	for (i = 1; i < n; i++) {
		const struct btf_type *type = btf__type_by_id(object, i);
		const char *text;

		if (!is_relocated(type))
			continue;
		if (grow((void **)&names->name, &names->room, names->n + 1, sizeof(struct name),
			 256))
			return -ENOMEM;
		names->name[names->n] = name_of(object, type);
		text = names->name[names->n++].text;
		names->begins[(unsigned char)*text] |= second_byte(text);
	}
	if (names->n)
		qsort(names->name, names->n, sizeof(struct name), compare_names);
	return 0;
}

static int take(struct pruning *p, uint32_t id);

/* What lies in the type; a pointer's target does not. */
static int take_parts(struct pruning *p, const struct btf_type *type)
{
	int err = 0, i;

	switch (btf_kind(type)) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		for (i = 0; i < btf_vlen(type) && !err; i++)
			err = take(p, btf_members(type)[i].type);
		return err;
	case BTF_KIND_ARRAY:
		err = take(p, btf_array(type)->index_type);
		return err ? err : take(p, btf_array(type)->type);
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
		return take(p, type->type);
	default:
		return 0;
	}
}

static int take(struct pruning *p, uint32_t id)
{
	const struct btf_type *type = btf__type_by_id(p->from, id);
	int copy;

	if (!id || p->id[id])
		return 0;
	if (!type)
		return -EINVAL;
	copy = btf__add_type(p->to, p->from, type);
	if (copy < 0)
		return copy;
	p->id[id] = (uint32_t)copy;
	return take_parts(p, type);
}

/* A copy refers to other types by the ids that they had; what was left out becomes void. */
static void renumber(const struct pruning *p, struct btf_type *type)
{
	struct btf_member *member;
	int i;

	switch (btf_kind(type)) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		member = btf_members(type);
		for (i = 0; i < btf_vlen(type); i++)
			member[i].type = p->id[member[i].type];
		break;
	case BTF_KIND_ARRAY:
		btf_array(type)->index_type = p->id[btf_array(type)->index_type];
		btf_array(type)->type = p->id[btf_array(type)->type];
		break;
	case BTF_KIND_INT:
	case BTF_KIND_FLOAT:
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
	case BTF_KIND_FWD:
		break; /* the word is a size, or nothing */
	default:
		type->type = p->id[type->type];
	}
}

static int take_named(struct pruning *p, const struct names *names)
{
	uint32_t n = btf__type_cnt(p->from), i;
	int err = 0;

	for (i = 1; i < n && !err; i++) {
		const struct btf_type *type = btf__type_by_id(p->from, i);
		struct name name;

		if (!is_relocated(type) ||
		    !names_may_have(names, btf__name_by_offset(p->from, type->name_off)))
			continue;
		name = name_of(p->from, type);
		if (names->n && bsearch(&name, names->name, names->n, sizeof(name), compare_names))
			err = take(p, i);
	}
	for (i = 1; i < btf__type_cnt(p->to) && !err; i++)
		renumber(p, (struct btf_type *)btf__type_by_id(p->to, i));
	return err;
}

static int write_all(int fd, const char *bytes, size_t len)
{
	ssize_t wrote;

	for (; len; bytes += wrote, len -= (size_t)wrote) {
		wrote = write(fd, bytes, len);
		if (wrote < 0)
			return -errno;
	}
	return 0;
}

int kernel_btf_prune(const struct btf *kernel, const struct btf *object, int fd)
{
	struct pruning p = {.from = kernel, .to = btf__new_empty()};
	struct names names = {};
	const void *bytes;
	uint32_t size;
	int err = -ENOMEM;

	p.id = calloc(btf__type_cnt(kernel), sizeof(*p.id));
	if (p.to && p.id)
		err = names_read(&names, object);
	if (!err)
		err = take_named(&p, &names);
	if (!err) {
		bytes = btf__raw_data(p.to, &size);
		err = bytes ? write_all(fd, bytes, size) : -ENOMEM;
	}
	btf__free(p.to);
	free(p.id);
	free(names.name);
	return err;
}
