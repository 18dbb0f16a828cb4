/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the text of kallsyms to the sorted table. */
#include "core/ksyms_table.h"
#include "core/grow.h"
#include "core/number.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN 1023 /* KSYM_NAME_LEN is 512 */
#define MAX_SYMBOLS (1U << 23)
#define MAX_BLOB (1U << 29)

struct line {
	uint64_t addr;
	const char *name, *module;
	size_t name_len, module_len;
	char type;
};

static int add_name(struct ksyms *ks, const char *name, size_t len, uint32_t *offset)
{
	size_t need = ks->blob_used + len + 1;

	if (need > MAX_BLOB)
		return -EFBIG;
	if (grow((void **)&ks->blob, &ks->blob_room, need, 1, 1 << 21))
		return -ENOMEM;
	memcpy(ks->blob + ks->blob_used, name, len);
	ks->blob[need - 1] = '\0';
	*offset = ks->blob_used;
	ks->blob_used = need;
	return 0;
}

/* A module's symbols come one after the other, but for [bpf] and builtins: newest first. */
static int add_module(struct ksyms *ks, const struct line *l, uint16_t *index)
{
	uint32_t offset;
	int err;

	for (size_t i = ks->module_count; i-- > 1;) {
		const char *known = ks->blob + ks->modules[i];

		if (!strncmp(known, l->module, l->module_len) && !known[l->module_len]) {
			*index = i;
			return 0;
		}
	}
	if (ks->module_count > UINT16_MAX)
		return -EFBIG;
	if (grow((void **)&ks->modules, &ks->module_room, ks->module_count + 1, sizeof(uint32_t),
		 256))
		return -ENOMEM;
	err = add_name(ks, l->module, l->module_len, &offset);
	if (err)
		return err;
	*index = ks->module_count;
	ks->modules[ks->module_count++] = offset;
	return 0;
}

static bool has_suffix(const char *name, size_t len, const char *suffix)
{
	size_t n = strlen(suffix);

	return len >= n && !memcmp(name + len - n, suffix, n);
}

static uint8_t rank_of(const struct line *l)
{
	uint8_t rank = 0, underscores = 0;

	while (underscores < 31 && underscores < l->name_len && l->name[underscores] == '_')
		underscores++;
	if (has_suffix(l->name, l->name_len, "_text_start") ||
	    has_suffix(l->name, l->name_len, "_text_end") ||
	    (l->name_len == 6 && !memcmp(l->name, "_stext", 6)) ||
	    (l->name_len == 5 && !memcmp(l->name, "_text", 5)))
		rank |= 0x80;
	if (l->type == 't')
		rank |= 0x40;
	else if (l->type != 'T')
		rank |= 0x20;
	return rank | underscores;
}

/* Where the kernel's half of the addresses begins, on every 64-bit machine. */
#define KERNEL_HALF (1ULL << 63)

static bool wanted(const struct ksyms *ks, const struct line *l)
{
	/* per-CPU data has offsets for addresses */
	if (ks->data ? l->addr < KERNEL_HALF : ((l->type | 0x20) != 't' && (l->type | 0x20) != 'w'))
		return false;
	/* $x, $d mark code and data in modules of arm64 and riscv, .L is a local label */
	if (*l->name == '$' || (l->name_len > 1 && !memcmp(l->name, ".L", 2)))
		return false;
	return l->name_len < 6 || (memcmp(l->name, "__pfx_", 6) && memcmp(l->name, "__cfi_", 6));
}

static int add_symbol(struct ksyms *ks, const struct line *l)
{
	struct ksym sym = {.start = l->addr, .module = NO_MODULE, .rank = rank_of(l)};
	int err;

	if (ks->count >= MAX_SYMBOLS)
		return -EFBIG;
	if (grow((void **)&ks->syms, &ks->room, ks->count + 1, sizeof(sym), 1 << 16))
		return -ENOMEM;
	if (l->module) {
		err = add_module(ks, l, &sym.module);
		if (err)
			return err;
	}
	err = add_name(ks, l->name, l->name_len, &sym.name);
	if (!err)
		ks->syms[ks->count++] = sym;
	return err;
}

/* "ffffffff81000000 T name" or "... t name\t[module]"; false: no such line. */
static bool split_line(const char *s, const char *end, struct line *l)
{
	const char *tab;

	s = number_hex(s, end, 16, &l->addr);
	if (!s || end - s < 4 || s[0] != ' ' || s[2] != ' ')
		return false;
	l->type = s[1];
	l->name = s + 3;
	tab = memchr(l->name, '\t', end - l->name);
	l->name_len = (tab ? tab : end) - l->name;
	l->module = NULL;
	l->module_len = 0;
	if (tab && end - tab > 3 && tab[1] == '[' && end[-1] == ']') {
		l->module = tab + 2;
		l->module_len = end - 1 - l->module;
	}
	return l->name_len && l->name_len <= NAME_MAX_LEN && !memchr(l->name, '\0', end - l->name);
}

static int note_symbol(struct ksyms *ks, const struct line *l)
{
	if (!l->module && l->name_len == 6 && !memcmp(l->name, "_stext", 6))
		ks->stext = l->addr;
	if (!l->module && l->name_len == 6 && !memcmp(l->name, "_etext", 6))
		ks->etext = l->addr;
	return wanted(ks, l) ? add_symbol(ks, l) : 0;
}

int ksyms_take_line(struct ksyms *const *tables, const char *s, const char *end, bool *shown)
{
	struct line l;
	int err = 0;

	if (!split_line(s, end, &l))
		return 0;
	*shown |= l.addr != 0;
	for (; *tables && !err; tables++)
		err = note_symbol(*tables, &l);
	return err;
}

int ksyms_take_lines(struct ksyms *const *tables, char *buf, size_t *used, bool *shown)
{
	char *s = buf, *end = buf + *used, *newline;

	while ((newline = memchr(s, '\n', end - s))) {
		int err = ksyms_take_line(tables, s, newline, shown);

		if (err)
			return err;
		s = newline + 1;
	}
	*used = end - s;
	memmove(buf, s, *used);
	return 0;
}

static bool in_text(const struct ksyms *ks, const struct ksym *sym)
{
	return sym->start >= ks->stext && sym->start < ks->etext;
}

static bool has_core_symbol(const struct ksyms *ks, const char *name)
{
	for (size_t i = 0; i < ks->count; i++)
		if (ks->syms[i].module == NO_MODULE && !strcmp(ks->blob + ks->syms[i].name, name))
			return true;
	return false;
}

/*
 * Of the core kernel what is in its text, or for data what is not. Without
 * CONFIG_KALLSYMS_ALL only a few section marks are left of the data, which would
 * lend their names to what comes after them.
 */
static void drop_others(struct ksyms *ks)
{
	bool all = !ks->data || (bounded(ks) && has_core_symbol(ks, "init_task"));
	size_t kept = 0;

	if (!ks->data && !bounded(ks))
		return;
	for (size_t i = 0; i < ks->count; i++) {
		const struct ksym *sym = &ks->syms[i];

		if (sym->module != NO_MODULE || (all && in_text(ks, sym) != ks->data))
			ks->syms[kept++] = *sym;
	}
	ks->count = kept;
}

static bool is_sorted(const struct ksyms *ks)
{
	for (size_t i = 1; i < ks->count; i++)
		if (ks->syms[i].start < ks->syms[i - 1].start)
			return false;
	return true;
}

/* Radix sort, a byte at a time from the lowest; bytes that all addresses share cost nothing. */
static int sort_by_address(struct ksyms *ks)
{
	struct ksym *from = ks->syms, *to;

	if (is_sorted(ks))
		return 0;
	to = malloc(ks->room * sizeof(*to));
	if (!to)
		return -ENOMEM;
	for (unsigned shift = 0; shift < 64; shift += 8) {
		size_t at[256] = {0}, sum = 0;
		struct ksym *swap = from;

		for (size_t i = 0; i < ks->count; i++)
			at[from[i].start >> shift & 255]++;
		if (at[from[0].start >> shift & 255] == ks->count)
			continue;
		for (unsigned b = 0; b < 256; b++) {
			size_t n = at[b];

			at[b] = sum;
			sum += n;
		}
		for (size_t i = 0; i < ks->count; i++)
			to[at[from[i].start >> shift & 255]++] = from[i];
		from = to;
		to = swap;
	}
	ks->syms = from;
	free(to);
	return 0;
}

static int compare_names(const void *a, const void *b, void *arg)
{
	const struct ksym *x = a, *y = b;
	const struct ksyms *ks = arg;
	const char *xn = ksym_name(ks, x), *yn = ksym_name(ks, y);
	size_t xl = strlen(xn), yl = strlen(yn);

	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	if (xl != yl)
		return xl < yl ? -1 : 1;
	return strcmp(xn, yn);
}

static void best_names_first(struct ksyms *ks)
{
	for (size_t i = 0, next; i < ks->count; i = next) {
		next = next_address(ks, i);
		if (next - i > 1)
			qsort_r(ks->syms + i, next - i, sizeof(*ks->syms), compare_names, ks);
	}
}

int ksyms_prepare(struct ksyms *ks)
{
	int err;

	drop_others(ks);
	if (!ks->count)
		return -ENODATA;
	err = sort_by_address(ks);
	if (err)
		return err;
	best_names_first(ks);
	ks->memo = calloc(1, sizeof(*ks->memo) + ks->count);
	return ks->memo ? 0 : -ENOMEM;
}
