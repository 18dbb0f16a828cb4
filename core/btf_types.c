// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/btf_types.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/grow.h"

#define BLOCK_TYPES 32
#define AHEAD_BYTES 1024 /* what the CPU does not fetch by itself from one page to the next */

const struct btf_shape btf_shapes[32] = {
    [BTF_KIND_INT] = {.known = 1, .fixed = 4},
    [BTF_KIND_PTR] = {.known = 1, .refers = true},
    [BTF_KIND_ARRAY] = {.known = 1, .fixed = 12},
    [BTF_KIND_STRUCT] = {.known = 1, .entry = 12, .entry_named = true, .entry_typed = true},
    [BTF_KIND_UNION] = {.known = 1, .entry = 12, .entry_named = true, .entry_typed = true},
    [BTF_KIND_ENUM] = {.known = 1, .entry = 8, .entry_named = true},
    [BTF_KIND_FWD] = {.known = 1},
    [BTF_KIND_TYPEDEF] = {.known = 1, .refers = true},
    [BTF_KIND_VOLATILE] = {.known = 1, .refers = true},
    [BTF_KIND_CONST] = {.known = 1, .refers = true},
    [BTF_KIND_RESTRICT] = {.known = 1, .refers = true},
    [BTF_KIND_FUNC] = {.known = 1, .refers = true},
    [BTF_KIND_FUNC_PROTO] =
	{.known = 1, .entry = 8, .refers = true, .entry_named = true, .entry_typed = true},
    [BTF_KIND_VAR] = {.known = 1, .fixed = 4, .refers = true},
    [BTF_KIND_DATASEC] = {.known = 1, .entry = 12},
    [BTF_KIND_FLOAT] = {.known = 1},
    [BTF_KIND_DECL_TAG] = {.known = 1, .fixed = 4, .refers = true},
    [BTF_KIND_TYPE_TAG] = {.known = 1, .refers = true},
    [BTF_KIND_ENUM64] = {.known = 1, .entry = 12, .entry_named = true},
};

/* Tells most names apart. In "x___old" it is none of the name. */
static uint64_t second_byte(const char *text)
{
	return 1ULL << (*text && text[1] != '_' ? text[1] & 63 : 0);
}

int btf_names_add(struct btf_names *names, const char *text, size_t len, uint32_t kinds,
		  enum btf_match match)
{
	unsigned char first = (unsigned char)*text;
	struct btf_name *name;

	if (!len)
		return 0;
	if (grow((void **)&names->name, &names->room, names->n + 1, sizeof(*name), 64))
		return -ENOMEM;
	name = &names->name[names->n];
	*name = (struct btf_name){.text = strndup(text, len), .len = len, .kinds = kinds};
	if (!name->text)
		return -ENOMEM;
	name->match = match;
	name->next = names->begins[first];
	names->begins[first] = (uint32_t)++names->n;
	names->second[first] |= second_byte(name->text);
	names->kinds |= kinds;
	return 0;
}

void btf_names_free(struct btf_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->name[i].text);
	free(names->name);
	memset(names, 0, sizeof(*names));
}

/* [offset, offset + len) of what follows the header is in it. */
static bool is_inside(const struct btf_header *header, size_t total, uint32_t offset, uint32_t len)
{
	return header->hdr_len >= sizeof(*header) && header->hdr_len <= total &&
	       offset <= total - header->hdr_len && len <= total - header->hdr_len - offset;
}

int btf_types_open(struct btf_types *types, const void *bytes, size_t len)
{
	const struct btf_header *header = bytes;
	const uint8_t *begin = bytes;

	memset(types, 0, sizeof(*types));
	if (len < sizeof(*header) || len > UINT32_MAX || header->magic != BTF_MAGIC ||
	    header->version != BTF_VERSION ||
	    !is_inside(header, len, header->type_off, header->type_len) ||
	    !is_inside(header, len, header->str_off, header->str_len) ||
	    (header->hdr_len + header->type_off) % sizeof(uint32_t))
		return -EINVAL;
	types->types = begin + header->hdr_len + header->type_off;
	types->types_len = header->type_len;
	types->strings = (const char *)begin + header->hdr_len + header->str_off;
	types->strings_len = header->str_len;
	/* The last name ends. */
	if (!header->str_len || types->strings[header->str_len - 1])
		return -EINVAL;
	types->block = malloc((header->type_len / sizeof(struct btf_type) / BLOCK_TYPES + 1) *
			      sizeof(*types->block));
	return types->block ? 0 : -ENOMEM;
}

void btf_types_close(struct btf_types *types)
{
	free(types->block);
	free(types->place);
	memset(types, 0, sizeof(*types));
}

const char *btf_types_name(const struct btf_types *types, uint32_t offset)
{
	return offset < types->strings_len ? types->strings + offset : NULL;
}

struct pass {
	struct btf_types *types;
	const struct btf_names *names;
	btf_matched *matched;
	void *context;
	uint32_t id; /* of the next block's first type */
	int err;     /* of matched() */
};

/* left: bytes of strings from the text on. The last byte tells most apart, and costs no call. */
static bool is_meant(const struct btf_name *name, const char *text, size_t left)
{
	const char *rest = text + name->len;

	if (left <= name->len || rest[-1] != name->text[name->len - 1] ||
	    memcmp(text, name->text, name->len))
		return false;
	return !*rest || name->match == BTF_PREFIX ||
	       (name->match == BTF_FLAVORS && !strncmp(rest, "___", 3));
}

static void tell(struct pass *pass, uint32_t id, const struct btf_type *type, const char *text)
{
	const struct btf_types *types = pass->types;
	size_t left = types->strings_len - type->name_off;
	uint32_t kind = BTF_BIT(btf_type_kind(type)), i;
	const struct btf_name *name;

	for (i = pass->names->begins[(unsigned char)*text]; i && !pass->err; i = name->next) {
		name = &pass->names->name[i - 1];
		if (name->kinds & kind && is_meant(name, text, left))
			pass->err = pass->matched(pass->context, name, id, type);
	}
}

static inline __attribute__((always_inline)) void tell_if_meant(struct pass *pass, uint32_t id,
								const struct btf_type *type)
{
	const char *text = pass->types->strings + type->name_off;

	if (pass->names->kinds & BTF_BIT(btf_type_kind(type)) &&
	    pass->names->second[(unsigned char)*text] & second_byte(text))
		tell(pass, id, type, text);
}

/*
 * Checks the types of a block, lists them, and tells what is meant. Returns the end of the last,
 * NULL when they are malformed. A hundred thousand come through in each start.
 */
static const uint8_t *walk_block(struct pass *pass, const uint8_t *at, uint32_t id)
{
	struct btf_types *types = pass->types;
	const uint8_t *end = types->types + types->types_len;
	struct btf_place *place = types->place + types->n_places;
	uint32_t last = id + BLOCK_TYPES;

	for (; id < last && at < end && !pass->err; id++) {
		const struct btf_type *type = (const void *)at;
		uint32_t kind;
		size_t bytes;

		__builtin_prefetch(at + AHEAD_BYTES);
		if ((size_t)(end - at) < sizeof(*type))
			return NULL;
		kind = btf_type_kind(type);
		bytes = btf_type_bytes(type);
		if (!btf_shapes[kind].known || bytes > (size_t)(end - at) ||
		    type->name_off >= types->strings_len)
			return NULL;
		tell_if_meant(pass, id, type);
		*place = (struct btf_place){id, (uint32_t)(at - types->types)};
		place += (BTF_LISTED >> kind & 1) & (type->name_off != 0);
		at += bytes;
	}
	types->n_places = (size_t)(place - types->place);
	pass->id = id;
	return at;
}

/* The first pass: what is there is known from then on. */
static int walk(struct pass *pass)
{
	struct btf_types *types = pass->types;
	const uint8_t *at = types->types, *end = at + types->types_len;
	size_t block = 0;

	types->n_places = 0;
	while (at < end && !pass->err) {
		if (grow((void **)&types->place, &types->room, types->n_places + BLOCK_TYPES,
			 sizeof(*types->place), 16384))
			return -ENOMEM;
		types->block[block++] = (uint32_t)(at - types->types);
		at = walk_block(pass, at, pass->id);
		if (!at)
			return -EINVAL;
	}
	if (!pass->err)
		types->n = pass->id;
	return pass->err;
}

int btf_types_match(struct btf_types *types, const struct btf_names *names, btf_matched *matched,
		    void *context)
{
	struct pass pass = {types, names, matched, context, .id = 1};
	size_t i;

	if (!types->n || names->kinds & ~BTF_LISTED)
		return walk(&pass);
	for (i = 0; i < types->n_places && !pass.err; i++) {
		const struct btf_place *place = &types->place[i];

		tell_if_meant(&pass, place->id, (const void *)(types->types + place->offset));
	}
	return pass.err;
}

const struct btf_type *btf_types_at(const struct btf_types *types, uint32_t id)
{
	const uint8_t *at;
	uint32_t i;

	if (!id || id >= types->n)
		return NULL;
	at = types->types + types->block[(id - 1) / BLOCK_TYPES];
	for (i = (id - 1) % BLOCK_TYPES; i; i--)
		at += btf_type_bytes((const void *)at);
	return (const void *)at;
}
