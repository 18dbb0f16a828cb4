/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Patterns that name what is to be traced. Pure: what they match is for
 * core/targets.h to find.
 *
 *   GLOB  /REGEX/              functions of the kernel and its modules
 *   PATTERN[MODULE]  [MODULE]  those of a module; "name [module]" as reports show it
 *   t:CATEGORY:EVENT           tracepoints
 *   u:BINARY:FUNCTION          functions of a program or library
 *
 * REGEX is POSIX extended and matches anywhere in the name. EVENT and FUNCTION
 * may be a GLOB or a /REGEX/, MODULE and CATEGORY a GLOB.
 */
#ifndef KTRACE_PATTERN_H
#define KTRACE_PATTERN_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/tool.h"

struct pattern {
	const char *text; /* as typed */
	enum target_kind kind;
	char *scope; /* module, category or binary; NULL: any module */
	char *name;  /* glob or regex */
	bool is_regex;
	regex_t regex;
	size_t n_matched; /* counted by core/targets*.c */
	uint32_t binary;  /* index of the file that scope means */
};

struct patterns {
	struct pattern *at;
	size_t n;
};

/* Of what kind the pattern is, from its first characters. */
enum target_kind pattern_kind(const char *text);
/* OK, or USAGE or FAILED, said. text must outlive it. patterns_free() takes a half-made one. */
enum status patterns_add(struct patterns *, const char *text);
/* The same for "a,b,/c/", which names what is left out: no kinds, no modules. */
enum status patterns_add_list(struct patterns *, const char *list);
void patterns_free(struct patterns *);

bool pattern_matches(const struct pattern *, const char *name);
/* Is the module or category one that the pattern allows? scope: NULL is the core kernel. */
bool pattern_allows(const struct pattern *, const char *scope);

#endif
