/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BTF read where it lies, without a copy or an index of it. Nothing of the bytes is trusted:
 * no type reaches beyond them, no name either, and an id leads to a type or to none.
 */
#ifndef KTRACE_BTF_TYPES_H
#define KTRACE_BTF_TYPES_H

#include <linux/btf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum btf_match {
	BTF_EXACT,
	BTF_FLAVORS, /* NAME and NAME___OLD, as CO-RE takes them for the same */
	BTF_PREFIX,  /* what begins with it; two bytes at least */
};

/* What is looked for. */
struct btf_name {
	char *text;
	size_t len;
	uint32_t kinds; /* BTF_BIT() of each that is meant */
	enum btf_match match;
	uint32_t next; /* of those with the same first byte, plus one */
};

#define BTF_BIT(kind) (1U << (kind))

struct btf_names {
	struct btf_name *name;
	size_t n, room;
	uint32_t kinds;       /* of all */
	uint32_t begins[256]; /* by first byte: the name added last, plus one; 0: none */
	uint64_t second[256]; /* by first byte: bits of the second bytes that there are */
};

/* Copies the text's first len bytes. Returns 0 or -ENOMEM. */
int btf_names_add(struct btf_names *, const char *text, size_t len, uint32_t kinds, enum btf_match);
void btf_names_free(struct btf_names *);

/* Kinds whose types are listed: those that have names, less functions, which are half of all. */
#define BTF_LISTED                                                                      \
	(BTF_BIT(BTF_KIND_STRUCT) | BTF_BIT(BTF_KIND_UNION) | BTF_BIT(BTF_KIND_ENUM) |  \
	 BTF_BIT(BTF_KIND_ENUM64) | BTF_BIT(BTF_KIND_TYPEDEF) | BTF_BIT(BTF_KIND_INT) | \
	 BTF_BIT(BTF_KIND_FLOAT))

struct btf_place {
	uint32_t id, offset;
};

struct btf_types {
	const uint8_t *types;
	const char *strings;
	uint32_t types_len, strings_len;
	uint32_t n;      /* ids are below it; 0: no pass was made yet */
	uint32_t *block; /* offset of each BLOCK_TYPES-th type: leads to an id */
	struct btf_place
	    *place; /* of the listed ones, ascending: a later pass over these is short */
	size_t n_places, room;
};

/* The bytes must stay. Returns 0, -EINVAL (not BTF of this machine's byte order), or -ENOMEM. */
int btf_types_open(struct btf_types *, const void *bytes, size_t len);
void btf_types_close(struct btf_types *);

/* Returns 0 to go on; all else ends the pass and is returned. */
typedef int btf_matched(void *context, const struct btf_name *, uint32_t id,
			const struct btf_type *);
/*
 * One pass over the types, ascending: each that a name means. The first pass checks them all.
 * Returns 0, -EINVAL (malformed), or what matched() returned.
 */
int btf_types_match(struct btf_types *, const struct btf_names *, btf_matched *matched,
		    void *context);

/* After a pass. NULL: no such type, or void. */
const struct btf_type *btf_types_at(const struct btf_types *, uint32_t id);
/* NULL: no such name. */
const char *btf_types_name(const struct btf_types *, uint32_t offset);

static inline uint32_t btf_type_kind(const struct btf_type *type)
{
	return BTF_INFO_KIND(type->info);
}

/* What follows a type that btf_types_at() gave: a fixed part, then entries of one size. */
struct btf_shape {
	uint8_t known, fixed, entry;
	bool refers;      /* the type's own word is an id, no size */
	bool entry_named; /* an entry begins with a name */
	bool entry_typed; /* its second word is an id */
};

extern const struct btf_shape btf_shapes[32]; /* by kind */

static inline size_t btf_type_bytes(const struct btf_type *type)
{
	const struct btf_shape *shape = &btf_shapes[btf_type_kind(type)];

	return sizeof(*type) + shape->fixed + (size_t)shape->entry * BTF_INFO_VLEN(type->info);
}

#endif
