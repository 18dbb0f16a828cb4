// SPDX-License-Identifier: GPL-2.0-or-later
/* First what is taken, which gives each type its new id, and then the copies with these. */
#include "core/btf_prune.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"
#include "core/grow.h"

struct taken {
	const struct btf_type *type;
	uint32_t id;
};

struct pruning {
	struct btf_types *from;
	uint32_t *small;     /* by id: the new one; 0: left out */
	struct taken *taken; /* the first has the new id 1 */
	size_t n, room;
	struct buffer types, strings;
};

static int append(struct buffer *buffer, const void *bytes, size_t len)
{
	buffer_put(buffer, bytes, len);
	return buffer->failed ? -ENOMEM : 0;
}

static int take(struct pruning *p, uint32_t id, const struct btf_type *type)
{
	if (grow((void **)&p->taken, &p->room, p->n + 1, sizeof(*p->taken), 512))
		return -ENOMEM;
	p->taken[p->n++] = (struct taken){type, id};
	return 0;
}

static int take_meant(void *context, const struct btf_name *name, uint32_t id,
		      const struct btf_type *type)
{
	struct pruning *p = context;

	(void)name;
	if (p->n && p->taken[p->n - 1].id == id) /* several names may mean it */
		return 0;
	return take(p, id, type);
}

/* For a word of a copied type that is an id, or for one that is a name. */
typedef int on_word(struct pruning *, uint32_t *word);

static int each_entry(struct pruning *p, struct btf_type *type, unsigned word, on_word *on)
{
	const struct btf_shape *shape = &btf_shapes[btf_type_kind(type)];
	uint32_t *entry = (uint32_t *)(type + 1) + shape->fixed / sizeof(*entry), i;
	int err = 0;

	for (i = 0; i < BTF_INFO_VLEN(type->info) && !err; i++)
		err = on(p, entry + i * shape->entry / sizeof(*entry) + word);
	return err;
}

static int each_id(struct pruning *p, struct btf_type *type, on_word *on)
{
	const struct btf_shape *shape = &btf_shapes[btf_type_kind(type)];
	struct btf_array *array = (struct btf_array *)(type + 1);
	int err = 0;

	if (shape->refers)
		err = on(p, &type->type);
	if (!err && btf_type_kind(type) == BTF_KIND_ARRAY) {
		err = on(p, &array->type);
		if (!err)
			err = on(p, &array->index_type);
	}
	return err || !shape->entry_typed ? err : each_entry(p, type, 1, on);
}

static int each_name(struct pruning *p, struct btf_type *type, on_word *on)
{
	int err = on(p, &type->name_off);

	return err || !btf_shapes[btf_type_kind(type)].entry_named ? err
								   : each_entry(p, type, 0, on);
}

static int take_id(struct pruning *p, uint32_t id)
{
	const struct btf_type *type;

	if (id < p->from->n && (!id || p->small[id]))
		return 0;
	type = btf_types_at(p->from, id);
	if (!type)
		return -EINVAL;
	p->small[id] = (uint32_t)p->n + 1;
	return take(p, id, type);
}

static int take_part(struct pruning *p, uint32_t *id)
{
	return take_id(p, *id);
}

static int renumber(struct pruning *p, uint32_t *id)
{
	if (*id >= p->from->n)
		return -EINVAL;
	*id = p->small[*id];
	return 0;
}

static int copy_name(struct pruning *p, uint32_t *offset)
{
	const char *text = btf_types_name(p->from, *offset);

	if (!text)
		return -EINVAL;
	*offset = *text ? (uint32_t)p->strings.n : 0;
	return *text ? append(&p->strings, text, strlen(text) + 1) : 0;
}

/* Copies what is taken, and takes what lies in that. */
static int copy_types(struct pruning *p, const uint32_t *ids, size_t n_ids)
{
	struct btf_type *copy;
	int err = 0;
	size_t i;

	for (i = 0; i < p->n; i++)
		p->small[p->taken[i].id] = (uint32_t)i + 1;
	for (i = 0; i < n_ids && !err; i++)
		err = take_id(p, ids[i]);
	for (i = 0; i < p->n && !err; i++) {
		const struct btf_type *type = p->taken[i].type;
		size_t at = p->types.n;

		err = append(&p->types, type, btf_type_bytes(type));
		copy = (void *)(p->types.at + at);
		if (!err && btf_type_kind(type) != BTF_KIND_PTR)
			err = each_id(p, copy, take_part);
	}
	return err;
}

/* Once all that is taken has its id. */
static int renumber_copies(struct pruning *p)
{
	int err = append(&p->strings, "", 1);
	struct btf_type *copy;
	size_t at;

	for (at = 0; at < p->types.n && !err; at += btf_type_bytes(copy)) {
		copy = (void *)(p->types.at + at);
		err = each_id(p, copy, renumber);
		if (!err)
			err = each_name(p, copy, copy_name);
	}
	return err;
}

static int put_together(const struct pruning *p, struct btf_pruned *out)
{
	struct btf_header header = {
	    .magic = BTF_MAGIC,
	    .version = BTF_VERSION,
	    .hdr_len = sizeof(header),
	    .type_len = (uint32_t)p->types.n,
	    .str_off = (uint32_t)p->types.n,
	    .str_len = (uint32_t)p->strings.n,
	};
	uint8_t *to = malloc(sizeof(header) + p->types.n + p->strings.n);
	size_t i;

	out->bytes = to;
	out->id = malloc((p->n + 1) * sizeof(*out->id));
	if (!to || !out->id)
		return -ENOMEM;
	out->len = sizeof(header) + p->types.n + p->strings.n;
	memcpy(to, &header, sizeof(header));
	if (p->types.n)
		memcpy(to + sizeof(header), p->types.at, p->types.n);
	memcpy(to + sizeof(header) + p->types.n, p->strings.at, p->strings.n);
	out->n = (uint32_t)p->n + 1;
	out->id[0] = 0;
	for (i = 0; i < p->n; i++)
		out->id[i + 1] = p->taken[i].id;
	return 0;
}

int btf_prune(struct btf_types *from, const struct btf_names *names, const uint32_t *ids,
	      size_t n_ids, struct btf_pruned *out)
{
	struct pruning p = {.from = from};
	int err = btf_types_match(from, names, take_meant, &p);

	memset(out, 0, sizeof(*out));
	if (!err) {
		p.small = calloc(from->n, sizeof(*p.small));
		err = p.small ? copy_types(&p, ids, n_ids) : -ENOMEM;
	}
	if (!err)
		err = renumber_copies(&p);
	if (!err)
		err = put_together(&p, out);
	if (err)
		btf_pruned_free(out);
	free(p.small);
	free(p.taken);
	buffer_free(&p.types);
	buffer_free(&p.strings);
	return err;
}

void btf_pruned_free(struct btf_pruned *pruned)
{
	free(pruned->bytes);
	free(pruned->id);
	memset(pruned, 0, sizeof(*pruned));
}
