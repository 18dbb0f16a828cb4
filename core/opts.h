/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line of a tool, parsed. Pure: no system call, so that bad input
 * changes nothing. The letters that tools share are bound here and nowhere
 * else, which is why one letter has one meaning.
 */
#ifndef KTRACE_OPTS_H
#define KTRACE_OPTS_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/render.h"
#include "core/tool.h"

#define MAX_OUTPUTS 8
#define MAX_IDS 4096
#define MAX_POSITIONAL 512
#define MAX_EXCLUDES 64
#define CFG_MAX 1024

enum action { ACTION_RUN, ACTION_HELP, ACTION_EXPLAIN };

struct output {
	const struct renderer *renderer;
	const char *path; /* NULL: stdout */
};

struct ids {
	uint32_t id[MAX_IDS];
	unsigned n;
};

struct opts {
	const struct tool *tool;
	enum action action;
	struct ids tgids, tids;
	char comm[COMM_LEN];
	bool by_comm;
	const char *cgroup; /* as typed: a path or an id */
	uint8_t user_threads, kernel_threads, user_stacks, kernel_stacks;
	uint32_t stack_depth;
	enum unwind unwind;
	uint32_t sample;               /* one event in so many is followed; 0, 1: each */
	bool exact;                    /* an option's sums are: no event may be left out */
	double max_overhead;           /* percent of the machine's CPU time; 0: no limit */
	uint32_t max_stacks, max_rows; /* sizes of the stores; 0: the default */
	uint64_t min_ns, max_ns;
	uint32_t top;
	bool top_given;
	const struct column *sort;
	const struct column *group[MAX_COLUMNS];
	unsigned n_group;
	const struct column *optional[MAX_COLUMNS]; /* value columns that an option asked for */
	unsigned n_optional;
	const char *object;                /* -O of memleak: the allocator; NULL: is found */
	uint8_t parts;                     /* the tool's own bits: which hooks are wanted */
	uint32_t want;                     /* WANT_ bits beside those of the shown columns */
	uint64_t duration_ns, interval_ns; /* 0: none */
	uint64_t count;                    /* reports; 0: no limit */
	uint8_t timestamp, verbose, self, stats, keep_screen, mangled;
	struct output output[MAX_OUTPUTS];
	unsigned n_outputs;
	int ready_fd;  /* -1: none */
	enum via hook; /* VIA_NONE: any */
	const char *btf, *caps;
	char **command;                 /* NULL: none */
	char *patterns[MAX_POSITIONAL]; /* of funccount */
	unsigned n_patterns;
	const char *excludes[MAX_EXCLUDES]; /* lists that leave out of what the patterns match */
	unsigned n_excludes;
	alignas(8) unsigned char cfg[CFG_MAX]; /* the tool's cfg with its own options parsed in */
};

/* argv[0] is ignored. Returns OK or USAGE, said. */
enum status opts_parse(const struct tool *, int argc, char **argv, struct opts *);

/* Every shared option, ends with a zero row: --help and completions read it. */
extern const struct option_row opts_shared[];
/* Does this tool take that shared option? */
bool opts_accepted(const struct tool *, const struct option_row *);

/*
 * Reads one argument by the row's unit and stores it at dst. Returns OK or
 * USAGE, said. Exported for tools' own .parse and for tests.
 */
enum status opts_store(const struct option_row *, const char *arg, void *dst);

/* The filter that the options ask for, without what only the running system knows. */
void opts_filter(const struct opts *, struct filter *);

/* Is the column among those that the report shows? */
bool opts_shows(const struct opts *, const struct column *);

#endif
