/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/processes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "core/maps.h"

#define BUCKETS 16384
#define KEPT_REPORTS 16

struct process {
	struct process *next;                   /* of the bucket */
	TAILQ_ENTRY(process) end;               /* in ended, where exited */
	struct mappings *image[PROCESS_IMAGES]; /* the last first */
	uint64_t tried;                         /* the report its maps were last read for */
	uint64_t used;
	uint32_t tgid;
	int16_t err;   /* of the last try */
	bool followed; /* records tell of it */
	bool doubted;  /* and some were lost */
	bool exited;
};

TAILQ_HEAD(ended, process);

struct processes {
	struct user_files *files;
	enum processes_heed heed;
	uint64_t report, lost;
	size_t count, bytes; /* bytes: of all mappings */
	struct ended ended;  /* what ended first comes first */
	struct process *buckets[BUCKETS];
};

struct processes *processes_new(struct user_files *files)
{
	struct processes *ps = calloc(1, sizeof(*ps));

	if (ps) {
		ps->files = files;
		ps->report = 1;
		TAILQ_INIT(&ps->ended);
	}
	return ps;
}

static struct process **place_of(struct processes *ps, uint32_t tgid)
{
	struct process **at = &ps->buckets[tgid % BUCKETS];

	while (*at && (*at)->tgid != tgid)
		at = &(*at)->next;
	return at;
}

static void drop_image(struct processes *ps, struct mappings *maps)
{
	ps->bytes -= mappings_own_bytes(maps);
	mappings_drop(maps);
}

static void set_exited(struct processes *ps, struct process *p, bool exited)
{
	if (exited && !p->exited)
		TAILQ_INSERT_TAIL(&ps->ended, p, end);
	if (!exited && p->exited)
		TAILQ_REMOVE(&ps->ended, p, end);
	p->exited = exited;
}

/* at: its place in the bucket */
static void drop_process(struct processes *ps, struct process *p, struct process **at)
{
	*at = p->next;
	set_exited(ps, p, false);
	for (size_t i = 0; i < PROCESS_IMAGES; i++)
		drop_image(ps, p->image[i]);
	free(p);
	ps->count--;
}

/* Forgets what ended first; false: nothing has ended but what is kept. */
static bool make_room(struct processes *ps, const struct process *kept)
{
	struct process *p = TAILQ_FIRST(&ps->ended);

	if (p && p == kept)
		p = TAILQ_NEXT(p, end);
	if (!p)
		return false;
	drop_process(ps, p, place_of(ps, p->tgid));
	ps->lost++;
	return true;
}

static struct process *get_process(struct processes *ps, uint32_t tgid)
{
	struct process *p = *place_of(ps, tgid), **at;

	if (!p) {
		if (ps->count < PROCESSES_MAX || make_room(ps, NULL))
			p = calloc(1, sizeof(*p));
		if (!p) {
			ps->lost++;
			return NULL;
		}
		at = place_of(ps, tgid);
		p->tgid = tgid;
		*at = p;
		ps->count++;
	}
	p->used = ps->report;
	return p;
}

static void drop_unused_since(struct processes *ps, uint64_t report)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct process **at = &ps->buckets[i]; *at;) {
			bool living = (*at)->followed && !(*at)->exited;

			if ((*at)->used >= report || (living && report != UINT64_MAX))
				at = &(*at)->next;
			else
				drop_process(ps, *at, at);
		}
}

void processes_free(struct processes *ps)
{
	if (ps)
		drop_unused_since(ps, UINT64_MAX);
	free(ps);
}

void processes_refresh(struct processes *ps)
{
	ps->report++;
	if (ps->report > KEPT_REPORTS)
		drop_unused_since(ps, ps->report - KEPT_REPORTS);
}

/* Adds a mapping to an image of p. Returns 0, or -errno when it is counted as lost. */
static int put(struct processes *ps, const struct process *p, struct mappings **image,
	       const struct user_file_seen *seen, uint64_t pgoff)
{
	struct mapping map = {seen->start, seen->end, pgoff, user_files_note(ps->files, seen)};
	size_t own = mappings_own_bytes(*image);
	int err = map.file == USER_FILE_NONE ? -ENOSPC : 0;

	while (!err && ps->bytes >= PROCESSES_MAPPING_BYTES)
		err = make_room(ps, p) ? 0 : -ENOSPC;
	if (!err)
		err = mappings_put(image, &map);
	if (err)
		ps->lost++;
	ps->bytes += mappings_own_bytes(*image) - own;
	return err;
}

/* The executable mappings that text has. NULL: none. */
static struct mappings *parse(struct processes *ps, const struct process *p, const char *text,
			      size_t len)
{
	struct mappings *image = NULL;
	const char *end = text + len;
	struct maps_line line;

	line.seen.tgid = p->tgid;
	while (maps_next(&text, end, &line))
		if (line.executable && put(ps, p, &image, &line.seen, line.pgoff) == -ENOMEM)
			break;
	return image;
}

/* Replaces the last image of a process when text has any mapping, and keeps it when not. */
static int learn_text(struct processes *ps, struct process *p, const char *text, size_t len)
{
	struct mappings *image = parse(ps, p, text, len);

	if (!image)
		return -ESRCH;
	drop_image(ps, p->image[0]);
	p->image[0] = image;
	p->doubted = false;
	return 0;
}

int processes_learn_text(struct processes *ps, uint32_t tgid, const char *text, size_t len)
{
	struct process *p = get_process(ps, tgid);

	if (!p)
		return -ENOMEM;
	p->tried = ps->report;
	p->err = len > MAPS_TEXT_MAX ? -EFBIG : (int16_t)learn_text(ps, p, text, len);
	return p->err;
}

static int learn(struct processes *ps, struct process *p)
{
	size_t len;
	char *text;

	if (p->tried == ps->report)
		return p->err;
	p->tried = ps->report;
	p->err = (int16_t)maps_read(p->tgid, &text, &len);
	if (!p->err)
		p->err = (int16_t)learn_text(ps, p, text, len);
	free(text);
	return p->err;
}

int processes_learn(struct processes *ps, uint32_t tgid)
{
	struct process *p = get_process(ps, tgid);

	return p ? learn(ps, p) : -ENOMEM;
}

/*
 * As it is to be asked: its maps read where no records keep them fresh. To ask of one that was
 * forgotten must not push out others.
 */
static struct process *known(struct processes *ps, uint32_t tgid)
{
	bool full = ps->count >= PROCESSES_MAX && !*place_of(ps, tgid);
	struct process *p = full ? NULL : get_process(ps, tgid);

	if (p && (!p->followed || p->doubted))
		(void)learn(ps, p);
	return p;
}

unsigned processes_images(struct processes *ps, uint32_t tgid)
{
	const struct process *p = *place_of(ps, tgid);
	unsigned n = p ? PROCESS_IMAGES : 0;

	while (n && !p->image[n - 1]) /* the last has none when an exec was seen alone */
		n--;
	return n;
}

const struct mapping *processes_find(struct processes *ps, uint32_t tgid, unsigned image,
				     uint64_t ip)
{
	const struct process *p = known(ps, tgid);

	return p && image < PROCESS_IMAGES ? mappings_find(p->image[image], ip) : NULL;
}

uint64_t processes_lost(const struct processes *ps)
{
	return ps->lost;
}

void processes_heed(struct processes *ps, enum processes_heed heed)
{
	ps->heed = heed;
}

static void follow(struct processes *ps, struct process *p)
{
	if (p->followed && !p->doubted)
		return;
	(void)learn(ps, p); /* none: a kernel thread, or gone by now */
	p->followed = true;
}

void processes_follow(struct processes *ps, uint32_t tgid)
{
	struct process *p = get_process(ps, tgid);

	if (p)
		follow(ps, p);
}

void processes_doubt(struct processes *ps)
{
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct process *p = ps->buckets[i]; p; p = p->next)
			p->doubted = true;
}

/* The process that a record tells of, where records of it are heeded. */
static struct process *heeded(struct processes *ps, uint32_t tgid)
{
	struct process *p;

	if (ps->heed == HEED_ALL)
		return get_process(ps, tgid);
	p = *place_of(ps, tgid);
	return p && p->followed ? p : NULL;
}

/* What it runs from now on is image; what it ran before is kept. */
static void begin_image(struct processes *ps, struct process *p, struct mappings *image)
{
	if (p->image[0]) {
		drop_image(ps, p->image[PROCESS_IMAGES - 1]);
		memmove(p->image + 1, p->image, sizeof(p->image) - sizeof(p->image[0]));
	}
	p->image[0] = image;
	p->followed = true;
	p->doubted = false;
	set_exited(ps, p, false);
}

void processes_fork(struct processes *ps, uint32_t tgid, uint32_t parent)
{
	struct process *from = ps->heed == HEED_GIVEN ? NULL : heeded(ps, parent), *p;

	if (!from)
		return;
	follow(ps, from);
	p = get_process(ps, tgid);
	if (!p || p == from)
		return;
	from = *place_of(ps, parent); /* to make room it may have been forgotten */
	begin_image(ps, p, from ? mappings_share(from->image[0]) : NULL);
	if (!p->image[0])
		(void)learn(ps, p);
}

void processes_exec(struct processes *ps, uint32_t tgid)
{
	struct process *p = heeded(ps, tgid);

	if (p)
		begin_image(ps, p, NULL);
}

void processes_exit(struct processes *ps, uint32_t tgid)
{
	struct process *p = *place_of(ps, tgid);

	if (!p)
		return;
	set_exited(ps, p, true);
	user_files_exited(ps->files, tgid);
}

void processes_map(struct processes *ps, const struct user_file_seen *seen, uint64_t pgoff)
{
	struct process *p = heeded(ps, seen->tgid);

	if (!p)
		return;
	follow(ps, p);
	(void)put(ps, p, &p->image[0], seen, pgoff);
}
