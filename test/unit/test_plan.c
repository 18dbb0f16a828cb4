/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plan of every tool on every kernel of test/kernels, from its stored caps,
 * against test/golden/plans.txt. KTRACE_UPDATE_GOLDEN=1 writes that file anew.
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Before cmocka.h, which has a macro of the name fail. */
#include "core/plan.h"

#include <cmocka.h>

#define KERNELS KTRACE_SOURCE_DIR "/test/kernels/"
#define GOLDEN KTRACE_SOURCE_DIR "/test/golden/plans.txt"
#define MAX_GOLDEN (1 << 20)

struct planned {
	struct opts opts;
	struct plan plan;
};

/* A tool, and what tells one of its ways of working from another. */
struct way {
	const struct tool *tool;
	const char *option; /* NULL: it has one */
	const char *shown;  /* of the option; "": it is the way without it */
};

/* The plan as a user's "TOOL -- COMMAND" makes it, so that all roles are there. */
static struct planned *planned_new(const struct way *way, const struct caps *caps, enum via hook)
{
	const char *word = way->tool->patterns ? "vfs_read" : way->option ? way->option : "-v";
	char *argv[] = {(char *)way->tool->name, (char *)word, "--", "true", NULL};
	struct planned *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	assert_int_equal(opts_parse(way->tool, 4, argv, &p->opts), OK);
	p->opts.hook = hook;
	plan_make(&p->opts, caps, &p->plan);
	return p;
}

/* The kinds of hook that can be forced. */
static void put_kinds(const struct way *way, const struct caps *caps, FILE *out)
{
	const char *comma = "";

	for (enum via via = VIA_TP_BTF; via < VIA_ITER; via++) {
		struct planned *p = planned_new(way, caps, via);

		if (p->plan.n_roles && plan_works(&p->plan)) {
			fprintf(out, "%s%s", comma, via_name(via));
			comma = ",";
		}
		free(p);
	}
}

static void put_role(const char *kernel, const char *shown, struct plan *plan,
		     const struct role *role, FILE *out)
{
	const struct candidate *chosen = plan_chosen(plan, role);
	const struct hook *hook = chosen ? chosen->hook : plan->candidate[role->first].hook;
	const char *loss = chosen ? hook->loses : role->optional ? hook->without : NULL;

	fprintf(out, "%s\t%s%s\t%s\t%s\t%s\t%s\t%s\n", kernel, plan->opts->tool->name, shown,
		role->name, chosen ? via_name(hook->via) : "none", chosen ? chosen->target : "-",
		chosen ? hook->prog_name : "-", loss ? loss : "-");
}

static void put_way(const char *kernel, const struct way *way, const struct caps *caps, FILE *out)
{
	struct planned *p = planned_new(way, caps, VIA_NONE);

	fprintf(out, "%s\t%s%s\t%s\t", kernel, way->tool->name, way->shown,
		plan_works(&p->plan) ? "ok" : "NO");
	put_kinds(way, caps, out);
	fputc('\n', out);
	for (unsigned i = 0; i < p->plan.n_roles; i++)
		if (plan_uses(&p->plan, &p->plan.role[i]))
			put_role(kernel, way->shown, &p->plan, &p->plan.role[i], out);
	free(p);
}

/*
 * memleak works on two kinds of memory, and with --mmap hooks all that it can. offcputime and
 * mlock walk stacks of kept intervals only, where there is a minimum.
 */
static void put_tool(const char *kernel, const struct tool *tool, const struct caps *caps,
		     FILE *out)
{
	bool memleak = tool == tool_find("memleak");

	put_way(kernel, &(struct way){tool, memleak ? "--mmap" : NULL, ""}, caps, out);
	if (memleak)
		put_way(kernel, &(struct way){tool, "--kernel", " --kernel"}, caps, out);
	if (tool == tool_find("offcputime") || tool == tool_find("mlock"))
		put_way(kernel, &(struct way){tool, "--min=1ms", " --min"}, caps, out);
}

static void put_kernel(const char *file, FILE *out)
{
	char path[512], kernel[256];
	struct caps caps = {};

	snprintf(path, sizeof(path), KERNELS "%s", file);
	snprintf(kernel, sizeof(kernel), "%.*s", (int)(strlen(file) - strlen(".caps")), file);
	assert_int_equal(caps_read(&caps, path), OK);
	fprintf(out, "%s\tkernel\t%s\n", kernel, caps_get(&caps, "kernel"));
	for (size_t i = 0; tools[i]; i++)
		put_tool(kernel, tools[i], &caps, out);
	caps_free(&caps);
}

static int is_caps(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && !strcmp(dot, ".caps");
}

static char *all_plans(void)
{
	struct dirent **entry;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int n = scandir(KERNELS, &entry, is_caps, versionsort);

	assert_non_null(out);
	assert_true(n > 0);
	for (int i = 0; i < n; i++) {
		put_kernel(entry[i]->d_name, out);
		free(entry[i]);
	}
	free(entry);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void every_tool_on_every_kernel_is_planned_as_golden(void **state)
{
	char *made = all_plans(), *golden = calloc(1, MAX_GOLDEN);
	FILE *f;

	(void)state;
	if (getenv("KTRACE_UPDATE_GOLDEN")) {
		f = fopen(GOLDEN, "we");
		assert_non_null(f);
		assert_true(fputs(made, f) >= 0);
	} else {
		f = fopen(GOLDEN, "re");
		assert_non_null(f);
		assert_non_null(golden);
		assert_true(fread(golden, 1, MAX_GOLDEN - 1, f) < MAX_GOLDEN - 1);
		assert_string_equal(made, golden);
	}
	assert_int_equal(fclose(f), 0);
	free(golden);
	free(made);
}

static void what_a_tool_depends_on_decides(void **state)
{
	static const struct {
		const char *value, *missing, *idle;
	} row[] = {
	    {"yes", NULL, NULL},
	    {"off: it sleeps", NULL, "it sleeps"},
	    {"no: it was left out", "it was left out", NULL},
	};
	struct caps caps = {};
	struct planned *p;

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		assert_int_equal(caps_set(&caps, "numa_balancing", row[i].value), 0);
		assert_int_equal(caps_set(&caps, "via.raw_tp", "yes"), 0);
		p = planned_new(&(struct way){tool_find("numamove"), NULL, ""}, &caps, VIA_NONE);
		assert_int_equal(plan_works(&p->plan), !row[i].missing);
		assert_int_equal(plan_check(&p->plan), row[i].missing ? CANNOT : OK);
		assert_int_equal(!p->plan.missing, !row[i].missing);
		if (row[i].missing)
			assert_string_equal(p->plan.missing, row[i].missing);
		assert_int_equal(!p->plan.idle[0], !row[i].idle);
		if (row[i].idle)
			assert_string_equal(p->plan.idle[0], row[i].idle);
		free(p);
	}
	caps_free(&caps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_tool_on_every_kernel_is_planned_as_golden),
	    cmocka_unit_test(what_a_tool_depends_on_decides),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
