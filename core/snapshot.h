/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A snapshot is what a run saw: typed values and stacks that are already
 * named. Nothing in it is live, so renderers need no kernel and golden files
 * test them. Text, JSON and folded stacks are renderings of it.
 */
#ifndef KTRACE_SNAPSHOT_H
#define KTRACE_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/tool.h"

#define MAX_COLUMNS 24
#define MAX_HOOKS 48
#define MAX_NOTES 16

/* An interned string as it lies in memory: all names in cells, stacks and chains are such. */
struct text {
	uint32_t len;
	bool plain; /* no format has to escape any of it */
	char s[];
};

static inline const struct text *text_of(const char *interned)
{
	return (const void *)(interned - offsetof(struct text, s));
}

/* Named frames, leaf first. Interned: equal stacks of a snapshot are the same pointer. */
struct stack {
	uint32_t n;
	bool cut; /* the walk ended before its end (depth, no frame pointer): outer frames are
		     missing */
	const char *frame[];
};

/* Cells of these kinds hold a string in cell.s. */
static inline bool kind_is_text(enum kind kind)
{
	return kind == KIND_COMM || kind == KIND_TEXT || kind == KIND_CGROUP || kind == KIND_FUNC ||
	       kind == KIND_CONTEXT || kind == KIND_LOCK || kind == KIND_ENUM ||
	       kind == KIND_TARGET;
}

/* A waker with its named stack. In an interrupt its name is the context: "[timer]". */
struct link {
	const char *waker;
	const struct stack *kstack;
};

/* Who woke the waker, who woke that one, and so on. Interned as stacks are. */
struct chain {
	uint32_t n;
	struct link link[];
};

static inline bool kind_is_stack(enum kind kind)
{
	return kind == KIND_KSTACK || kind == KIND_USTACK;
}

/* One value; which member counts follows from the column's kind. */
union cell {
	uint64_t u;    /* numbers, task state letters; KIND_LOAD in 1/65536, KIND_RATE in 1/1000 */
	int64_t i;     /* KIND_DIFF_BYTES */
	const char *s; /* where kind_is_text(): interned, raw bytes, not escaped */
	const struct stack *stack; /* KSTACK, USTACK; never NULL, n may be 0 */
	const struct chain *chain; /* CHAIN; never NULL, n may be 0 */
	uint64_t *hist;            /* HIST_NS: HIST_SLOTS counts; never NULL */
};

struct hook_used {
	const char *role, *via, *target;
};

struct cost {
	uint64_t events;    /* runs of our BPF programs in the period */
	uint64_t run_ns;    /* time they took, summed over CPUs */
	double cpu_percent; /* of one CPU */
	bool known;         /* false: the kernel would not count (BPF_ENABLE_STATS refused) */
};

/*
 * Where rows are made from a sample: what they come to, with its standard errors, and what was
 * counted of all.
 */
struct estimate {
	uint64_t budget_ns; /* 0: the rows are no estimates, and nothing here is set */
	uint64_t kept;      /* intervals that the rows are made from */
	uint64_t count, count_error, total_ns, total_error_ns;
	uint64_t exact_count, exact_total_ns;
};

/* Where not each event was followed. */
struct sample {
	uint32_t every;            /* one in so many at least; 0: each, and nothing here is set */
	uint64_t events, followed; /* that the filters kept, in the period; those of them in rows */
};

struct snapshot {
	const struct tool *tool;
	const struct column *column[MAX_COLUMNS]; /* those shown, keys first, in the tool's order */
	unsigned n_columns, n_keys;
	union cell *cells; /* n_rows * n_columns */
	size_t n_rows, cap_rows;
	size_t n_hidden; /* rows dropped by snapshot_top() */

	const char *version, *host, *kernel;
	uint64_t start_ns;   /* CLOCK_REALTIME at the start of the period */
	uint64_t end_ns;     /* CLOCK_REALTIME at its end */
	uint64_t elapsed_ns; /* CLOCK_MONOTONIC length of the period */
	uint64_t load[3];    /* load averages at the end, 1/65536 */
	struct hook_used hook[MAX_HOOKS];
	unsigned n_hooks;
	const char *note[MAX_NOTES]; /* what this report samples or cannot see, one sentence each */
	unsigned n_notes;
	struct loss loss;
	uint64_t missed; /* runs that the kernel skipped: nested or over its limits */
	struct cost cost;
	struct sample sample;
	struct estimate estimate; /* the tool sets budget_ns, kept and what is exact */

	struct snapshot_store *store; /* interned strings and stacks, row index */
};

/*
 * Begins an empty snapshot with the tool's columns that are shown: all that
 * are not optional, or with n_group > 0 those key columns instead of the
 * tool's (values stay). Returns 0 or -ENOMEM.
 */
int snapshot_init(struct snapshot *, const struct tool *, const struct column *const *group,
		  unsigned n_group, const struct column *const *shown_optional,
		  unsigned n_optional);
void snapshot_free(struct snapshot *);

/* Interned copies; NULL when out of memory. len: bytes read at most; stops at NUL. */
const char *snapshot_text(struct snapshot *, const char *string, size_t len);
const struct stack *snapshot_stack(struct snapshot *, const char *const *frame, uint32_t n,
				   bool cut);
/* The same of names that are interned already. */
const struct stack *snapshot_stack_interned(struct snapshot *, const char *const *frame, uint32_t n,
					    bool cut);
/* The links' members are interned already; at most CHAIN_MAX. */
const struct chain *snapshot_chain(struct snapshot *, const struct link *, uint32_t n);
/* A zeroed HIST_SLOTS array that lives as long as the snapshot. */
uint64_t *snapshot_hist(struct snapshot *);

/*
 * Adds a row, cells in the order of column[]. Where a row with the same keys
 * exists its values are merged: sum, or maximum for max_ columns. Returns 0 or
 * -ENOMEM.
 */
int snapshot_add(struct snapshot *, const union cell *cells);

/*
 * Ends the adding of rows: fills the columns that are computed from others,
 * and the sums of the estimate, sorts descending by column, text ascending (NULL: no sort). Rows
 * that are equal there are in ascending order of their keys. Returns 0 or -ENOMEM.
 */
int snapshot_finish(struct snapshot *, const struct column *sort);
/* For snapshot_finish(): by is the index of a column, -1: by the keys. Returns 0 or -ENOMEM. */
int snapshot_sort(struct snapshot *, int by);
/* Keeps the first n rows, counts the rest in n_hidden. */
void snapshot_top(struct snapshot *, size_t n);
/* Adds a note once; text is interned. */
void snapshot_note(struct snapshot *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Index of a column in column[], or -1. */
int snapshot_column(const struct snapshot *, const char *name);
static inline union cell *snapshot_row(const struct snapshot *s, size_t row)
{
	return s->cells + row * s->n_columns;
}

#endif
