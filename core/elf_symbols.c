// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/elf_symbols.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/debug_file.h"
#include "core/elf_collect.h"
#include "core/ranked.h"

#define MAX_NESTED 32 /* functions that begin between an address and the one it lies in */
#define COMPARED 256  /* bytes of two names, to order them */

struct function {
	uint32_t start, size;
	uint32_t name; /* in names */
};

struct elf_symbols {
	struct function *at; /* by start, the best name of each first */
	size_t n;
	char *names;
	size_t names_size;
	uint8_t id[BUILD_ID_MAX];
	size_t id_len;
};

struct candidates {
	const struct elf_candidate *at;
	const char *names;
};

static int compare_names(const void *a, const void *b, void *candidates)
{
	const struct candidates *c = candidates;
	const struct ranked *x = a, *y = b;

	return strncmp(c->names + c->at[x->item].name, c->names + c->at[y->item].name, COMPARED);
}

/* By start, then rank; what is the same in both, by name. */
static int sort(struct elf_collection *c, size_t n)
{
	struct ranked *order = calloc(n, 2 * sizeof(*order)), *sorted;
	struct elf_candidate *at = reallocarray(NULL, n, sizeof(*at));
	struct candidates candidates = {c->at, c->names};

	if (!order || !at) {
		free(order);
		free(at);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++)
		order[i] = (struct ranked){(uint64_t)c->at[i].start << 32 | c->at[i].rank, i};
	sorted = ranked_sort(order, order + n, n);
	ranked_sort_equals(sorted, n, compare_names, &candidates);
	for (size_t i = 0; i < n; i++)
		at[i] = candidates.at[sorted[i].item];
	free(order);
	free(c->at);
	c->at = at;
	c->room = n;
	return 0;
}

/* The first one behind those that start where i does. */
static size_t next_start(const struct elf_collection *c, size_t i)
{
	uint32_t start = c->at[i].start;

	while (++i < c->n && c->at[i].start == start)
		;
	return i;
}

/*
 * .symtab has what .dynsym has. A label within a function of known size is of less use
 * than the function.
 */
static void drop_doubles(struct elf_collection *c, size_t n)
{
	uint64_t covered = 0, end;
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		struct elf_candidate *new = &c->at[i], *last = kept ? &c->at[kept - 1] : NULL;

		if (elf_candidate_is_label(new) &&
		    (new->start < covered || (last && last->start == new->start)))
			continue;
		end = (uint64_t) new->start + new->size;
		if (!new->is_open && end > covered)
			covered = end;
		if (last && last->start == new->start && last->rank == new->rank &&
		    !strcmp(c->names + last->name, c->names + new->name)) {
			if (last->is_open || (!new->is_open &&new->size > last->size)) {
				last->is_open = new->is_open;
				last->size = new->size;
			}
			continue;
		}
		c->at[kept++] = *new;
	}
	c->n = kept;
}

/* All names of an address get one size: the largest that a table has, else up to what follows. */
static void set_sizes(struct elf_collection *c)
{
	for (size_t i = 0, next; i < c->n; i = next) {
		uint32_t known = 0, reach = 0;

		next = next_start(c, i);
		for (size_t j = i; j < next; j++) {
			uint32_t *most = c->at[j].is_open ? &reach : &known;

			if (c->at[j].size > *most)
				*most = c->at[j].size;
		}
		if (next < c->n && c->at[next].start - c->at[i].start < reach)
			reach = c->at[next].start - c->at[i].start;
		for (size_t j = i; j < next; j++)
			c->at[j].size = known ? known : reach;
	}
}

/* Of whole string tables only the functions' names are kept. */
static int pack_names(struct elf_symbols *s, struct elf_collection *c)
{
	size_t size = 0, len;
	char *to;

	for (size_t i = 0; i < c->n; i++)
		size += strlen(c->names + c->at[i].name) + 1;
	if (size >= c->names_size) { /* they share their ends */
		s->names = c->names;
		s->names_size = c->names_size;
		c->names = NULL;
		return 0;
	}
	s->names = to = malloc(size + 1);
	if (!to)
		return -ENOMEM;
	for (size_t i = 0; i < c->n; i++) {
		len = strlen(c->names + c->at[i].name) + 1;
		memcpy(to, c->names + c->at[i].name, len);
		c->at[i].name = (uint32_t)(to - s->names);
		to += len;
	}
	s->names_size = size;
	return 0;
}

static int make_table(struct elf_symbols *s, struct elf_collection *c)
{
	const size_t n = c->n;

	if (!n)
		return 0;
	if (sort(c, n))
		return -ENOMEM;
	drop_doubles(c, n);
	set_sizes(c);
	s->at = malloc(c->n * sizeof(*s->at));
	if (!s->at || pack_names(s, c))
		return -ENOMEM;
	for (size_t i = 0; i < c->n; i++)
		s->at[i] = (struct function){c->at[i].start, c->at[i].size, c->at[i].name};
	s->n = c->n;
	return 0;
}

static int collect_debug_file(struct elf_collection *c, int fd)
{
	struct elf_image image;
	int err;

	if (fd < 0)
		return 0;
	err = elf_image_open(&image, fd);
	if (!err) {
		err = elf_collect(c, &image, SHT_SYMTAB);
		elf_image_close(&image);
	}
	close(fd);
	return err == -ENOEXEC ? 0 : err;
}

static int collect_debug_data(struct elf_collection *c, const struct elf_image *image)
{
	size_t size = 0;
	uint8_t *bytes = debug_data_unpack(image, &size);
	struct elf_image inner;
	int err = bytes ? elf_image_open_memory(&inner, bytes, size) : -ENOEXEC;

	if (!err) {
		err = elf_collect(c, &inner, SHT_SYMTAB);
		elf_image_close(&inner);
	}
	free(bytes);
	return err == -ENOEXEC ? 0 : err;
}

/*
 * .dynsym, and the first other table that has any function. root: NULL when no other file
 * is to be looked for.
 */
static int collect_all(struct elf_collection *c, const struct elf_image *image, const char *dir,
		       const char *root)
{
	int err = elf_collect(c, image, SHT_DYNSYM);
	size_t known = c->n;

	if (!err && root)
		err = collect_debug_file(c, debug_file_by_id(image, root));
	if (!err && c->n == known)
		err = elf_collect(c, image, SHT_SYMTAB);
	if (!err && c->n == known && root && dir)
		err = collect_debug_file(c, debug_file_by_link(image, dir, root));
	if (!err && c->n == known)
		err = collect_debug_data(c, image);
	return err;
}

static int load(struct elf_symbols **out, const struct elf_image *image, const char *dir,
		const char *root)
{
	struct elf_symbols *s = calloc(1, sizeof(*s));
	struct elf_collection c = {0};
	int err;

	if (!s)
		return -ENOMEM;
	s->id_len = elf_image_build_id(image, s->id);
	elf_collect_places(&c, image);
	err = collect_all(&c, image, dir, root);
	if (!err)
		err = make_table(s, &c);
	elf_collect_free(&c);
	if (err)
		elf_symbols_free(s);
	else
		*out = s;
	return err;
}

int elf_symbols_load(struct elf_symbols **out, int fd, const char *dir, const char *root)
{
	struct elf_image image;
	int err = elf_image_open(&image, fd);

	if (err)
		return err;
	err = load(out, &image, dir, root);
	elf_image_close(&image);
	return err;
}

int elf_symbols_load_memory(struct elf_symbols **out, const void *bytes, size_t size)
{
	struct elf_image image;
	int err = elf_image_open_memory(&image, bytes, size);

	if (err)
		return err;
	err = load(out, &image, NULL, NULL);
	elf_image_close(&image);
	return err;
}

void elf_symbols_free(struct elf_symbols *s)
{
	if (!s)
		return;
	free(s->at);
	free(s->names);
	free(s);
}

/* How many functions start before an offset. */
static size_t count_before(const struct elf_symbols *s, uint64_t offset)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->at[mid].start < offset)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void tell(const struct elf_symbols *s, const struct function *f, struct elf_symbol *out)
{
	*out = (struct elf_symbol){.name = s->names + f->name, .start = f->start, .size = f->size};
}

bool elf_symbols_find(const struct elf_symbols *s, uint64_t offset, struct elf_symbol *out)
{
	size_t end = offset < UINT32_MAX ? count_before(s, offset + 1) : 0;

	for (unsigned i = 0; i < MAX_NESTED && end; i++) {
		/* the first of an address has the best name */
		const struct function *f = &s->at[count_before(s, s->at[end - 1].start)];

		if (offset - f->start < f->size) {
			tell(s, f, out);
			return true;
		}
		end = (size_t)(f - s->at);
	}
	return false;
}

bool elf_symbols_named(const struct elf_symbols *s, const char *name, struct elf_symbol *out)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->names + s->at[i].name, name)) {
			tell(s, &s->at[i], out);
			return true;
		}
	return false;
}

size_t elf_symbols_build_id(const struct elf_symbols *s, uint8_t id[BUILD_ID_MAX])
{
	memcpy(id, s->id, s->id_len);
	return s->id_len;
}

size_t elf_symbols_bytes(const struct elf_symbols *s)
{
	return sizeof(*s) + s->n * sizeof(*s->at) + s->names_size;
}
