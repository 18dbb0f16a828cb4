/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fake tools and a fake run, rendered and compared with test/golden/. With
 * KTRACE_UPDATE_GOLDEN=1 the files are written instead: read the diff.
 */
#ifndef KTRACE_TEST_RENDER_GOLDEN_H
#define KTRACE_TEST_RENDER_GOLDEN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/render.h"

/* Last: its macro fail() hides ours. */
#include <cmocka.h>

#ifndef KTRACE_SOURCE_DIR
#define KTRACE_SOURCE_DIR "."
#endif

#define END       \
	{         \
		0 \
	}
#define K(n, k)                                   \
	{                                         \
		.name = n, .kind = k, .key = true \
	}
#define V(n, k)                      \
	{                            \
		.name = n, .kind = k \
	}
#define COUNT_TOTAL_MAX V("count", KIND_COUNT), V("total_ns", KIND_NS), V("max_ns", KIND_NS)

/* A fake tool and its columns. */
#define TOOL(n, by, ...)                                               \
	static const struct column n##_columns[] = {__VA_ARGS__, END}; \
	static const struct tool n = {.name = #n, .columns = n##_columns, .sort = by}

#define MAY_BE_UNUSED __attribute__((unused))

MAY_BE_UNUSED static const char *const kernel[] = {"io_schedule", "ext4_file_read_iter", "vfs_read",
						   NULL};
MAY_BE_UNUSED static const char *const user[] = {"read", "libx.so+0x1234", "main", NULL};
MAY_BE_UNUSED static const char *const evil[] = {"a;b\n", "op\"new\\ 5", "\x1b[2J\xff", NULL};
MAY_BE_UNUSED static const char *const none[] = {NULL};

MAY_BE_UNUSED static void begin(struct snapshot *s, const struct tool *tool)
{
	assert_int_equal(snapshot_init(s, tool, NULL, 0, NULL, 0), 0);
	s->version = "0.1.0";
	s->host = "box\"1\n";
	s->kernel = "6.18.0";
	s->start_ns = 1767225600ULL * 1000000000;
	s->elapsed_ns = 5000123456;
	s->end_ns = s->start_ns + s->elapsed_ns;
	s->load[0] = s->load[1] = s->load[2] = 33423;
	s->hook[s->n_hooks++] = (struct hook_used){"switch", "tp_btf", "sched_switch"};
}

MAY_BE_UNUSED static union cell text(struct snapshot *s, const char *string)
{
	const char *made = snapshot_text(s, string, strlen(string));

	assert_non_null(made);
	return (union cell){.s = made};
}

MAY_BE_UNUSED static union cell frames(struct snapshot *s, const char *const *frame, bool cut)
{
	const struct stack *made;
	uint32_t n = 0;

	while (frame[n])
		n++;
	made = snapshot_stack(s, frame, n, cut);
	assert_non_null(made);
	return (union cell){.stack = made};
}

MAY_BE_UNUSED static union cell number(uint64_t u)
{
	return (union cell){.u = u};
}

#define ADD(s, ...) assert_int_equal(snapshot_add(s, (union cell[]){__VA_ARGS__}), 0)

MAY_BE_UNUSED static char *rendered(const struct renderer *r, const struct snapshot *s,
				    const struct style *style)
{
	char *out = NULL;
	size_t size;
	FILE *f = open_memstream(&out, &size);

	assert_non_null(f);
	assert_int_equal(r->render(s, style, f), 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(strlen(out), size);
	return out;
}

MAY_BE_UNUSED static char *file_content(const char *path)
{
	char *content = calloc(1, 1 << 16);
	FILE *f = fopen(path, "r");

	assert_non_null(content);
	if (!f)
		fail_msg("no %s: run with KTRACE_UPDATE_GOLDEN=1 and read it", path);
	assert_in_range(fread(content, 1, (1 << 16) - 1, f), 0, (1 << 16) - 2);
	fclose(f);
	return content;
}

MAY_BE_UNUSED static void check(const char *name, const struct renderer *r,
				const struct snapshot *s, struct style style)
{
	char path[512], *out, *wanted;

	style.utc = true;
	out = rendered(r, s, &style);
	snprintf(path, sizeof(path), "%s/test/golden/%s", KTRACE_SOURCE_DIR, name);
	if (getenv("KTRACE_UPDATE_GOLDEN")) {
		FILE *f = fopen(path, "w");

		assert_non_null(f);
		fputs(out, f);
		assert_int_equal(fclose(f), 0);
	}
	wanted = file_content(path);
	assert_string_equal(out, wanted);
	free(wanted);
	free(out);
}

MAY_BE_UNUSED static void check_all(const char *name, const struct snapshot *s, struct style style)
{
	char path[64];

	for (const struct renderer *const *r = renderers; *r; r++) {
		snprintf(path, sizeof(path), "%s.%s", name, (*r)->name);
		check(path, *r, s, style);
	}
}

#endif
