// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * argp does the cutting into options and arguments; what an option means is in
 * the rows. argp's own help, its hidden options and its abbreviations are off:
 * an abbreviation that works today breaks with the next option.
 */
#include "core/opts.h"

#include <argp.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/number.h"
#include "core/opts_rows.h"

bool opts_accepted(const struct tool *tool, const struct option_row *row)
{
	if (row->off == offsetof(struct opts, max_rows) && tool->layout.no_rows)
		return false;
	return (tool->accepts & row->needs) == row->needs;
}

static const struct option_row *row_in(const struct option_row *rows, int key)
{
	for (; rows && rows->key; rows++)
		if (rows->key == key)
			return rows;
	return NULL;
}

static const struct option_row *row_find(const struct tool *tool, int key)
{
	const struct option_row *row = row_in(tool->options, key);

	if (row)
		return row;
	row = row_in(opts_shared, key);
	return row && opts_accepted(tool, row) ? row : NULL;
}

static enum status take_option(struct opts *opts, const struct option_row *row, const char *arg)
{
	unsigned char *base = row->in_cfg ? opts->cfg : (unsigned char *)opts;

	if (row->unit == UNIT_CUSTOM)
		return row->parse(row, arg, opts);
	return opts_store(row, arg, base + row->off);
}

/* [DURATION], or [INTERVAL [COUNT]], after the tool's patterns. */
static enum status take_number(struct opts *opts, unsigned nth, const char *arg)
{
	static const struct option_row duration = {.name = "DURATION"},
				       interval = {.name = "INTERVAL"};
	uint64_t *dst;
	int err;

	if (opts->tool->at_interval != AT_TOTAL && nth == 1) {
		err = number_u64(arg, &opts->count);
		if (err || !opts->count)
			return fail(USAGE, "COUNT takes a whole number from 1, not '%s'", arg);
		return OK;
	}
	if (nth)
		return fail(USAGE, "unexpected argument '%s'", arg);
	dst = opts->tool->at_interval == AT_TOTAL ? &opts->duration_ns : &opts->interval_ns;
	if (number_seconds_ns(arg, dst))
		return fail(USAGE, "%s takes seconds from 0.001, not '%s'",
			    opts->tool->at_interval == AT_TOTAL ? duration.name : interval.name,
			    arg);
	return OK;
}

struct parse {
	struct opts *opts;
	char *positional[MAX_POSITIONAL];
	unsigned n_positional;
	enum status status;
};

static error_t take_argp(int key, char *arg, struct argp_state *state)
{
	struct parse *parse = state->input;
	const struct option_row *row;

	switch (key) {
	case ARGP_KEY_INIT:
		state->err_stream = NULL; /* the "Try ..." line; the message itself is ours */
		return 0;
	case ARGP_KEY_ARG:
		if (parse->n_positional == MAX_POSITIONAL)
			parse->status = fail(USAGE, "at most %d arguments", MAX_POSITIONAL);
		else
			parse->positional[parse->n_positional++] = arg;
		return parse->status == OK ? 0 : EINVAL;
	}
	row = row_find(parse->opts->tool, key);
	if (!row)
		return ARGP_ERR_UNKNOWN;
	if (parse->status == OK)
		parse->status = take_option(parse->opts, row, arg);
	return parse->status == OK ? 0 : EINVAL;
}

static void add_argp(struct argp_option *out, const struct option_row *row)
{
	out->name = row->name;
	out->key = row->key;
	out->arg = row->arg;
}

#define MAX_OPTIONS 80

static void make_argp(const struct tool *tool, struct argp_option *out)
{
	const struct option_row *row;
	unsigned n = 0;

	for (row = opts_shared; row->key; row++)
		if (opts_accepted(tool, row) && n < MAX_OPTIONS)
			add_argp(&out[n++], row);
	for (row = tool->options; row && row->key; row++)
		if (n < MAX_OPTIONS)
			add_argp(&out[n++], row);
}

/* Other tools may have it: then say that it means nothing here. */
static enum status refuse(const struct tool *tool, const char *word, int len)
{
	const struct option_row *row;

	for (row = opts_shared; row->key; row++)
		if (word[1] == '-' ? (int)strlen(row->name) == len - 2 &&
					 !strncmp(row->name, word + 2, strlen(row->name))
				   : row->key == word[1])
			return fail(USAGE, "option '%.*s' has no meaning for %s", len, word,
				    tool->name);
	return fail(USAGE, "unknown option '%.*s' (see --help)", len, word);
}

/* A long option must be spelled out; argp would take any prefix. */
static enum status check_word(const struct tool *tool, const struct argp_option *options,
			      const char *word)
{
	size_t len = strcspn(word + 2, "=");

	for (; options->name; options++)
		if (strlen(options->name) == len && !strncmp(options->name, word + 2, len)) {
			if (word[2 + len] == '=' && !options->arg)
				return fail(USAGE, "option '--%s' takes no argument",
					    options->name);
			return OK;
		}
	return refuse(tool, word, (int)len + 2);
}

static const struct argp_option *find_letter(const struct argp_option *options, int letter)
{
	for (; options->name; options++)
		if (options->key == letter)
			return options;
	return NULL;
}

static const struct argp_option *find_name(const struct argp_option *options, const char *name)
{
	for (; options->name; options++)
		if (!strcmp(options->name, name))
			return options;
	return NULL;
}

/* "-abc": *next is set when the last letter takes the next word as its argument. */
static enum status check_letters(const struct tool *tool, const struct argp_option *options,
				 const char *word, bool *next)
{
	const struct argp_option *option;
	const char *letter;

	for (letter = word + 1; *letter; letter++) {
		option = find_letter(options, *letter);
		if (!option)
			return refuse(tool, (char[]){'-', *letter, '\0'}, 2);
		if (!option->arg)
			continue;
		*next = !letter[1];
		break;
	}
	return OK;
}

/*
 * Walks the words as argp will, to name in one line of our own what argp would
 * refuse in several of its own: unknown options and missing arguments. *end
 * becomes the index of "--", where argp must stop: it would move arguments from
 * before it behind it, and they could not be told from the command.
 */
static enum status check_words(const struct tool *tool, const struct argp_option *options, int argc,
			       char **argv, int *end)
{
	enum status status = OK;
	int i;

	for (i = 1; i < argc && !status && strcmp(argv[i], "--"); i++) {
		const struct argp_option *option;
		bool next = false;

		if (argv[i][0] != '-' || !argv[i][1])
			continue;
		if (argv[i][1] == '-') {
			status = check_word(tool, options, argv[i]);
			option = find_name(options, argv[i] + 2);
			next = option && option->arg;
		} else {
			status = check_letters(tool, options, argv[i], &next);
		}
		if (!status && next && ++i >= argc)
			return fail(USAGE, "option '%s' needs an argument", argv[i - 1]);
	}
	*end = i;
	return status;
}

static enum status take_positional(struct parse *parse)
{
	struct opts *opts = parse->opts;
	unsigned first = 0, i;
	enum status status = OK;

	if (opts->tool->patterns) {
		/* No function begins with a digit: what does is meant as a number. */
		while (first < parse->n_positional &&
		       !isdigit((unsigned char)parse->positional[first][0]))
			first++;
		memcpy(opts->patterns, parse->positional, first * sizeof(opts->patterns[0]));
		opts->n_patterns = first;
	}
	for (i = first; i < parse->n_positional && status == OK; i++)
		status = take_number(opts, i - first, parse->positional[i]);
	return status;
}

static enum status parse_words(struct parse *parse, int argc, char **argv)
{
	struct argp_option options[MAX_OPTIONS + 1] = {};
	const struct argp argp = {.options = options, .parser = take_argp};
	enum status status;
	int err, end = argc;

	make_argp(parse->opts->tool, options);
	status = check_words(parse->opts->tool, options, argc, argv, &end);
	if (status)
		return status;
	if (end < argc - 1)
		parse->opts->command = argv + end + 1;
	else if (end < argc)
		return fail(USAGE, "a command must follow '--'");
	unsetenv("POSIXLY_CORRECT"); /* options may follow arguments, whatever the shell says */
	err = argp_parse(&argp, end, argv, ARGP_NO_HELP | ARGP_NO_EXIT | ARGP_NO_ERRS, NULL, parse);
	if (parse->status)
		return parse->status;
	if (err)
		return fail(USAGE, "cannot read the command line: %s", strerror(err));
	return take_positional(parse);
}

enum status opts_parse(const struct tool *tool, int argc, char **argv, struct opts *opts)
{
	struct parse parse = {.opts = opts};
	enum status status;

	memset(opts, 0, sizeof(*opts));
	opts->tool = tool;
	opts->stack_depth = MAX_DEPTH;
	opts->unwind = UNWIND_RULES;
	opts->ready_fd = -1;
	opts->interval_ns = tool->interval_ns;
	opts->sort = tool->sort ? tool_column(tool, tool->sort) : NULL;
	if (tool->layout.cfg)
		memcpy(opts->cfg, tool->layout.cfg, tool->layout.cfg_size);
	status = parse_words(&parse, argc, argv);
	if (status || opts->action == ACTION_HELP)
		return status;
	return opts_check(opts);
}
