/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/usyms.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/demangle.h"
#include "core/intern.h"
#include "core/perf_map.h"
#include "core/processes.h"
#include "core/user_files.h"

#define JIT_BUCKETS 64
#define MAX_JITS 256 /* processes whose perf-TGID.map is kept */
#define NAMED_FRAMES 16384
#define NAME_LEN_MAX 400
#define FRAME_LEN_MAX 512

struct jit {
	struct jit *next;
	struct perf_map *map; /* NULL: there is none */
	uint64_t report;      /* that it was last looked for */
	uint32_t tgid;
};

/* What is named. */
struct spot {
	uint64_t offset; /* in the file, of the call where it is one; elsewhere the address */
	uint64_t owner;  /* 0: a file; else process and image */
	uint32_t file;
	bool calls;
};

/*
 * A frame as it was named. Of a file's code it stays: demangling takes longer than all else. What
 * is not such is as it is in this report only, for a JIT compiler may make something else there.
 */
struct named {
	struct usyms_frame frame; /* text NULL: none yet */
	struct spot spot;
	uint64_t report;    /* that it was last asked for in */
	struct named *used; /* the one that was used for the first time before this one */
};

struct usyms {
	struct usyms_style style;
	struct user_files *files;
	struct processes *processes;
	struct jit *jits[JIT_BUCKETS];
	unsigned n_jits;
	uint64_t report;
	struct usyms_frame unknown;
	struct named *used; /* of named, the last; few are, and the others are not touched */
	struct named named[NAMED_FRAMES]; /* by hash; a later one takes its place */
};

/* What is known of an address that something is mapped at. */
struct place {
	const char *name; /* NULL: no function is known */
	uint64_t offset;  /* in the function, or in the file */
	const char *file;
};

struct usyms *usyms_new(const struct usyms_style *style)
{
	struct usyms *us = calloc(1, sizeof(*us));

	if (!us)
		return NULL;
	us->style = *style;
	us->unknown = (struct usyms_frame){.text = "[unknown]", .kind = USYMS_UNKNOWN};
	us->files = user_files_new();
	us->processes = us->files ? processes_new(us->files) : NULL;
	if (us->processes)
		return us;
	usyms_free(us);
	return NULL;
}

static void drop_jits(struct usyms *us)
{
	for (size_t i = 0; i < JIT_BUCKETS; i++)
		for (struct jit *jit; (jit = us->jits[i]);) {
			us->jits[i] = jit->next;
			perf_map_free(jit->map);
			free(jit);
		}
	us->n_jits = 0;
}

void usyms_free(struct usyms *us)
{
	if (!us)
		return;
	drop_jits(us);
	for (const struct named *named = us->used; named; named = named->used)
		free((char *)named->frame.text);
	processes_free(us->processes);
	user_files_free(us->files);
	free(us);
}

struct processes *usyms_processes(struct usyms *us)
{
	return us->processes;
}

void usyms_refresh(struct usyms *us)
{
	us->report++;
	us->unknown.interned = NULL;
	processes_refresh(us->processes);
}

/* The map as of this report; a process that is gone keeps its last one. */
static const struct perf_map *jit_map(struct usyms *us, uint32_t tgid)
{
	struct jit **bucket = &us->jits[tgid % JIT_BUCKETS], *jit;

	for (jit = *bucket; jit && jit->tgid != tgid; jit = jit->next)
		;
	if (jit && jit->report == us->report)
		return jit->map;
	if (!jit) {
		if (us->n_jits == MAX_JITS)
			drop_jits(us);
		jit = calloc(1, sizeof(*jit));
		if (!jit)
			return NULL;
		jit->tgid = tgid;
		jit->next = *bucket;
		*bucket = jit;
		us->n_jits++;
	}
	jit->report = us->report;
	perf_map_reload(&jit->map, tgid);
	return jit->map;
}

static void find(struct usyms *us, uint32_t tgid, const struct mapping *map, uint64_t ip,
		 struct place *place)
{
	const struct perf_map *jit;
	struct elf_symbol symbol;
	uint64_t start;

	place->file = user_files_name(us->files, map->file);
	place->offset = ip - map->start + map->pgoff;
	place->name = NULL;
	if (user_files_symbol(us->files, map, tgid, place->offset, &symbol)) {
		place->name = symbol.name;
		place->offset -= symbol.start;
		return;
	}
	if (user_files_is_code(us->files, map->file)) /* made by a linker, not by a JIT compiler */
		return;
	jit = jit_map(us, tgid);
	place->name = jit ? perf_map_find(jit, ip, &start) : NULL;
	if (place->name)
		place->offset = ip - start;
}

/* Of glibc, musl, ld.so and Go. */
static bool is_first(const char *name)
{
	static const struct {
		const char *name;
		bool prefix;
	} first[] = {
	    {"_start"},
	    {"_start_c"},
	    {"__libc_start", true},
	    {"_dl_start", true},
	    {"start_thread"},
	    {"thread_start"},
	    {"clone"},
	    {"clone3"},
	    {"__clone", true},
	    {"_rt0_", true},
	    {"runtime.goexit", true},
	    {"runtime.mstart", true},
	    {"runtime.rt0_go", true},
	};

	for (size_t i = 0; i < sizeof(first) / sizeof(*first); i++)
		if (first[i].prefix ? !strncmp(name, first[i].name, strlen(first[i].name))
				    : !strcmp(name, first[i].name))
			return true;
	return false;
}

static void format(const struct usyms *us, const struct place *place, char *buf, size_t size)
{
	char name[NAME_LEN_MAX], tail[300] = "";
	int len = 0;

	if (!place->name || us->style.offset)
		len = snprintf(tail, sizeof(tail), "+0x%" PRIx64, place->offset);
	if (place->name && us->style.offset)
		snprintf(tail + len, sizeof(tail) - (size_t)len, " [%.255s]", place->file);
	if (!place->name || us->style.mangled)
		snprintf(name, sizeof(name), "%s", place->name ? place->name : place->file);
	else
		demangle(place->name, name, sizeof(name));
	len = size > strlen(tail) ? (int)(size - strlen(tail) - 1) : 0;
	snprintf(buf, size, "%.*s%s", len, name, tail);
}

/* A call that never returns may be the last instruction of its function: calls is 1 for one. */
static enum usyms_kind look_up(struct usyms *us, uint32_t tgid, const struct mapping *map,
			       uint64_t ip, bool calls, struct place *place)
{
	find(us, tgid, map, ip - calls, place);
	place->offset += calls;
	if (!place->name)
		return USYMS_FILE;
	return is_first(place->name) ? USYMS_FIRST : USYMS_FUNCTION;
}

static int name(struct usyms *us, uint32_t tgid, const struct mapping *map, uint64_t ip, bool calls,
		struct usyms_frame *frame)
{
	char text[FRAME_LEN_MAX];
	struct place place;

	frame->kind = look_up(us, tgid, map, ip, calls, &place);
	format(us, &place, text, sizeof(text));
	frame->text = strdup(text);
	return frame->text ? 0 : -ENOMEM;
}

static const struct mapping *mapping_of(const struct usyms *us, struct usyms_walk *walk,
					uint64_t ip)
{
	if (!walk->map || ip - walk->map->start >= walk->map->end - walk->map->start)
		walk->map = processes_find(us->processes, walk->tgid, walk->image, ip);
	return walk->map;
}

static struct spot spot_of(const struct usyms *us, const struct usyms_walk *walk, uint64_t ip,
			   bool calls)
{
	const struct mapping *map = walk->map;

	if (user_files_is_code(us->files, map->file))
		return (struct spot){ip - map->start + map->pgoff, 0, map->file, calls};
	return (struct spot){ip, (uint64_t)walk->tgid << 8 | walk->image, map->file, calls};
}

static bool same(const struct spot *a, const struct spot *b)
{
	return a->offset == b->offset && a->owner == b->owner && a->file == b->file &&
	       a->calls == b->calls;
}

/* Where the frame is kept, or will be. */
static struct named *named_at(struct usyms *us, const struct spot *spot)
{
	uint64_t hash = hash_word(spot->file, spot->calls ^ spot->owner);

	return &us->named[hash_word(hash, spot->offset) % NAMED_FRAMES];
}

static struct usyms_frame *name_anew(struct usyms *us, struct usyms_walk *walk, uint64_t ip,
				     bool calls)
{
	struct named new = {.report = us->report}, *named;

	if (name(us, walk->tgid, walk->map, ip, calls, &new.frame))
		return NULL;
	new.spot = spot_of(us, walk, ip - calls, calls); /* by now it may be known to be code */
	named = named_at(us, &new.spot);
	new.used = named->used;
	if (!named->frame.text) {
		new.used = us->used;
		us->used = named;
	}
	free((char *)named->frame.text);
	*named = new;
	return &named->frame;
}

struct usyms_frame *usyms_frame(struct usyms *us, struct usyms_walk *walk, uint64_t ip, bool calls)
{
	struct named *named;
	struct spot spot;

	if (!mapping_of(us, walk, ip - calls))
		return &us->unknown;
	spot = spot_of(us, walk, ip - calls, calls);
	named = named_at(us, &spot);
	if (!named->frame.text || !same(&named->spot, &spot) ||
	    (spot.owner && named->report != us->report))
		return name_anew(us, walk, ip, calls);
	if (named->report != us->report)
		named->frame.interned = NULL;
	named->report = us->report;
	return &named->frame;
}

/*
 * How well a walk fits an image: its frames that something is mapped at, best when it ends where
 * programs begin. It may seem to do so in a wrong image too, but then sooner.
 */
static unsigned fit(struct usyms *us, uint32_t tgid, unsigned image, const uint64_t *ip, unsigned n)
{
	struct usyms_walk walk = {tgid, image, NULL};
	unsigned i;

	for (i = 0; i < n; i++) {
		const struct usyms_frame *frame = usyms_frame(us, &walk, ip[i], i > 0);

		if (!frame || frame->kind == USYMS_UNKNOWN)
			break;
		if (frame->kind == USYMS_FIRST)
			return n + i + 1;
	}
	return i;
}

unsigned usyms_image(struct usyms *us, uint32_t tgid, const uint64_t *ip, unsigned n)
{
	unsigned images = processes_images(us->processes, tgid), best = 0, best_fit = 0, image;
	unsigned fitting = 0;

	/* Mostly the leaf is mapped in one of them alone: then the others do not fit at all. */
	for (image = 0; n && images > 1 && image < images; image++)
		if (processes_find(us->processes, tgid, image, ip[0])) {
			fitting++;
			best = image;
		}
	if (fitting < 2)
		return best;
	for (image = 0; image < images; image++) {
		unsigned fits = fit(us, tgid, image, ip, n);

		if (fits > best_fit) {
			best_fit = fits;
			best = image;
		}
	}
	return best;
}

bool usyms_unread(const struct usyms *us)
{
	return user_files_unread(us->files);
}
