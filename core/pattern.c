// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/pattern.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#define SYSCALLS "t:syscalls:"

enum target_kind pattern_kind(const char *text)
{
	if (!strncmp(text, SYSCALLS, strlen(SYSCALLS)))
		return TARGET_SYSCALL;
	if (!strncmp(text, "t:", 2))
		return TARGET_EVENT;
	return strncmp(text, "u:", 2) ? TARGET_FUNCTION : TARGET_USER;
}

/*
 * "func*[module]": where the module begins. A bracket after a letter is a set of
 * characters, "vfs_[rw]"; after '*', '/', a blank or nothing it is a module.
 */
static const char *module_part(const char *text)
{
	const char *open = strrchr(text, '[');
	size_t len = strlen(text);

	if (!open || text[len - 1] != ']' || open + 2 >= text + len)
		return NULL;
	return open == text || strchr("*/ ", open[-1]) ? open : NULL;
}

static enum status split(struct pattern *pattern)
{
	const char *text = pattern->text, *at;
	size_t len;

	if (pattern->kind == TARGET_FUNCTION) {
		at = module_part(text);
		if (!at) {
			pattern->name = strdup(text);
			return OK;
		}
		pattern->scope = strndup(at + 1, strlen(at) - 2);
		len = (size_t)(at - text);
		if (len && text[len - 1] == ' ')
			len--;
		pattern->name = len ? strndup(text, len) : strdup("*");
		return OK;
	}
	text += 2;
	at = strchr(text, ':');
	/* A path may hold colons, a function does not. */
	if (at && pattern->kind == TARGET_USER)
		at = strrchr(text, ':');
	if (!at || at == text || !at[1])
		return fail(USAGE, "pattern '%s' is not %s", pattern->text,
			    pattern->kind == TARGET_USER ? "u:BINARY:FUNCTION"
							 : "t:CATEGORY:EVENT");
	pattern->scope = strndup(text, (size_t)(at - text));
	pattern->name = strdup(at + 1);
	return OK;
}

static enum status compile(struct pattern *pattern)
{
	size_t len = strlen(pattern->name);
	char why[128];
	int err;

	if (pattern->name[0] != '/')
		return *pattern->name ? OK : fail(USAGE, "an empty pattern (see --help)");
	if (len < 3 || pattern->name[len - 1] != '/')
		return fail(USAGE, "pattern '%s' is no /REGEX/: it does not end with '/'",
			    pattern->text);
	memmove(pattern->name, pattern->name + 1, len - 2);
	pattern->name[len - 2] = '\0';
	err = regcomp(&pattern->regex, pattern->name, REG_EXTENDED | REG_NOSUB);
	if (err) {
		regerror(err, &pattern->regex, why, sizeof(why));
		return fail(USAGE, "pattern '%s': %s", pattern->text, why);
	}
	pattern->is_regex = true;
	return OK;
}

static struct pattern *append(struct patterns *patterns, const char *text)
{
	struct pattern *grown = reallocarray(patterns->at, patterns->n + 1, sizeof(*grown));

	if (!grown)
		return NULL;
	patterns->at = grown;
	grown += patterns->n++;
	memset(grown, 0, sizeof(*grown));
	grown->text = text;
	return grown;
}

enum status patterns_add(struct patterns *patterns, const char *text)
{
	struct pattern *pattern = append(patterns, text);
	enum status status;

	if (!pattern)
		return fail(FAILED, "out of memory");
	pattern->kind = pattern_kind(text);
	status = split(pattern);
	if (!status && !pattern->name)
		return fail(FAILED, "out of memory");
	return status ? status : compile(pattern);
}

enum status patterns_add_list(struct patterns *patterns, const char *list)
{
	struct pattern *pattern;
	enum status status = OK;
	size_t len;

	for (; status == OK; list += len + 1) {
		/* A regex may hold commas: it ends with its '/'. */
		len = list[0] == '/' && strchr(list + 1, '/')
			  ? (size_t)(strchr(list + 1, '/') - list) + 1
			  : strcspn(list, ",");
		pattern = append(patterns, list);
		if (!pattern || !(pattern->name = strndup(list, len)))
			return fail(FAILED, "out of memory");
		status = compile(pattern);
		if (!list[len])
			break;
		if (!status && list[len] != ',')
			return fail(USAGE, "a comma must follow the regex in '%s'", list);
	}
	return status;
}

void patterns_free(struct patterns *patterns)
{
	size_t i;

	for (i = 0; i < patterns->n; i++) {
		if (patterns->at[i].is_regex)
			regfree(&patterns->at[i].regex);
		free(patterns->at[i].scope);
		free(patterns->at[i].name);
	}
	free(patterns->at);
	memset(patterns, 0, sizeof(*patterns));
}

bool pattern_matches(const struct pattern *pattern, const char *name)
{
	if (pattern->is_regex)
		return !regexec(&pattern->regex, name, 0, NULL, 0);
	return !fnmatch(pattern->name, name, 0);
}

bool pattern_allows(const struct pattern *pattern, const char *scope)
{
	return !pattern->scope || (scope && !fnmatch(pattern->scope, scope, 0));
}
