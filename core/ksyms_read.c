/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading kallsyms, at once or piece by piece. */
#include "core/ksyms_table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define CHUNK (256 * 1024)

struct ksyms_reader {
	struct ksyms *tables[3]; /* one or two of different kinds, then NULL */
	int fd, err;
	bool any, shown;
	size_t used; /* bytes of buf: a line that is not whole yet */
	char buf[CHUNK];
};

static struct ksyms *new_table(bool data)
{
	struct ksyms *ks = calloc(1, sizeof(*ks));

	if (ks) {
		ks->module_count = 1;
		ks->data = data;
	}
	return ks;
}

int ksyms_reader_open(struct ksyms_reader **out, enum ksyms_kind kind, const char *path)
{
	struct ksyms_reader *reader = malloc(sizeof(*reader));
	unsigned n = 0;

	*out = NULL;
	if (!reader)
		return -ENOMEM;
	reader->tables[0] = reader->tables[1] = reader->tables[2] = NULL;
	reader->any = reader->shown = false;
	reader->used = 0;
	reader->fd = open(path ? path : "/proc/kallsyms", O_RDONLY | O_CLOEXEC);
	reader->err = reader->fd < 0 ? -errno : 0;
	if (kind != KSYMS_DATA && !(reader->tables[n++] = new_table(false)))
		reader->err = -ENOMEM;
	if (kind != KSYMS_TEXT && !(reader->tables[n++] = new_table(true)))
		reader->err = -ENOMEM;
	*out = reader;
	return 0;
}

bool ksyms_reader_step(struct ksyms_reader *reader)
{
	ssize_t got;

	if (reader->err)
		return false;
	got = read(reader->fd, reader->buf + reader->used, CHUNK - reader->used);
	if (got < 0 && errno == EINTR)
		return true;
	if (got < 0)
		reader->err = -errno;
	if (got <= 0)
		return false;
	reader->any = true;
	reader->used += (size_t)got;
	reader->err = ksyms_take_lines(reader->tables, reader->buf, &reader->used, &reader->shown);
	if (!reader->err && reader->used == CHUNK) /* no line of kallsyms is that long */
		reader->err = -EINVAL;
	return !reader->err;
}

/* Reads what is left, and makes tables of it. */
static int complete(struct ksyms_reader *reader)
{
	while (ksyms_reader_step(reader))
		;
	if (!reader->err && reader->used)
		reader->err = ksyms_take_line(reader->tables, reader->buf,
					      reader->buf + reader->used, &reader->shown);
	if (!reader->err && reader->any && !reader->shown)
		reader->err = -EPERM;
	if (!reader->err)
		reader->err = ksyms_prepare(reader->tables[0]);
	return reader->err;
}

int ksyms_reader_end(struct ksyms_reader *reader, struct ksyms **first, struct ksyms **second)
{
	int err = complete(reader);

	*first = reader->tables[0];
	if (err) {
		ksyms_free(*first);
		*first = NULL;
	}
	if (second)
		*second = reader->tables[1];
	if (second && (err || ksyms_prepare(*second))) {
		ksyms_free(*second);
		*second = NULL;
	}
	if (reader->fd >= 0)
		close(reader->fd);
	free(reader);
	return err;
}

void ksyms_reader_drop(struct ksyms_reader *reader)
{
	if (!reader)
		return;
	ksyms_free(reader->tables[0]);
	ksyms_free(reader->tables[1]);
	if (reader->fd >= 0)
		close(reader->fd);
	free(reader);
}

static int load(struct ksyms **first, struct ksyms **second, enum ksyms_kind kind, const char *path)
{
	struct ksyms_reader *reader;
	int err = ksyms_reader_open(&reader, kind, path);

	*first = NULL;
	if (second)
		*second = NULL;
	return err ? err : ksyms_reader_end(reader, first, second);
}

int ksyms_load(struct ksyms **out, const char *path)
{
	return load(out, NULL, KSYMS_TEXT, path);
}

int ksyms_load_data(struct ksyms **out, const char *path)
{
	return load(out, NULL, KSYMS_DATA, path);
}

int ksyms_load_both(struct ksyms **text, struct ksyms **data, const char *path)
{
	return load(text, data, KSYMS_BOTH, path);
}
