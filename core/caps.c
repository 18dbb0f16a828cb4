// SPDX-License-Identifier: GPL-2.0-or-later
/* The facts as a table: set, get, write, read. Asking the kernel is in caps_probe.c. */
#include "core/caps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/grow.h"

#define HEADER "ktrace-caps 1"

static struct caps_fact *fact_find(const struct caps *caps, const char *key)
{
	size_t i;

	for (i = 0; i < caps->n; i++)
		if (!strcmp(caps->facts[i].key, key))
			return &caps->facts[i];
	return NULL;
}

const char *caps_get(const struct caps *caps, const char *key)
{
	const struct caps_fact *fact = fact_find(caps, key);

	return fact ? fact->value : NULL;
}

bool caps_yes(const struct caps *caps, const char *key)
{
	const char *value = caps_get(caps, key);

	return value && !strncmp(value, "yes", 3);
}

int caps_set(struct caps *caps, const char *key, const char *value)
{
	struct caps_fact *fact = fact_find(caps, key);
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	if (fact) {
		free(fact->value);
		fact->value = copy;
		return 0;
	}
	if (grow((void **)&caps->facts, &caps->cap, caps->n + 1, sizeof(*fact), 64))
		goto no_memory;
	caps->facts[caps->n].key = strdup(key);
	if (!caps->facts[caps->n].key)
		goto no_memory;
	caps->facts[caps->n++].value = copy;
	return 0;
no_memory:
	free(copy);
	return -ENOMEM;
}

void caps_write(const struct caps *caps, FILE *out)
{
	size_t i;

	fprintf(out, HEADER "\n");
	for (i = 0; i < caps->n; i++)
		fprintf(out, "%s %s\n", caps->facts[i].key, caps->facts[i].value);
}

static enum status read_lines(struct caps *caps, FILE *in, const char *path)
{
	char line[1024];
	size_t len;
	char *blank;

	if (!fgets(line, sizeof(line), in) || strcmp(line, HEADER "\n"))
		return fail(USAGE, "%s does not begin with '%s': not the output of ktrace caps",
			    path, HEADER);
	while (fgets(line, sizeof(line), in)) {
		len = strlen(line);
		blank = strchr(line, ' ');
		if (!len || line[len - 1] != '\n' || !blank || blank == line)
			return fail(USAGE, "%s: bad line '%.60s'", path, line);
		line[len - 1] = '\0';
		*blank = '\0';
		if (caps_set(caps, line, blank + 1))
			return fail(FAILED, "out of memory");
	}
	return OK;
}

enum status caps_read(struct caps *caps, const char *path)
{
	FILE *in = fopen(path, "re");
	enum status status;

	if (!in)
		return fail(USAGE, "cannot read %s: %s", path, strerror(errno));
	status = read_lines(caps, in, path);
	fclose(in);
	return status;
}

void caps_free(struct caps *caps)
{
	size_t i;

	for (i = 0; i < caps->n; i++) {
		free(caps->facts[i].key);
		free(caps->facts[i].value);
	}
	free(caps->facts);
	memset(caps, 0, sizeof(*caps));
}
