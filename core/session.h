/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session is what is live: the loaded object, its links and maps. It opens
 * by the plan, drains into snapshots, and closes, whatever state it got to.
 */
#ifndef KTRACE_SESSION_H
#define KTRACE_SESSION_H

#include <bpf/libbpf.h>

#include "core/fentry_first.h"
#include "core/multi.h"
#include "core/plan.h"
#include "core/rowset.h"
#include "core/slots.h"
#include "core/snapshot.h"
#include "core/symbolize.h"
#include "core/targets.h"
#include "core/user_space.h"

struct session {
	struct plan *plan;
	const struct object *object; /* that skel is of */
	void *skel;
	struct bpf_object *obj;
	struct bpf_link *link[MAX_HOOKS];        /* NULL: of patterns, in multi */
	const struct candidate *used[MAX_HOOKS]; /* one per link */
	unsigned n_links;
	struct targets targets; /* of a tool with patterns */
	struct multi multi;     /* what is attached to them */
	struct fentry_first fentry_first;
	int stats_fd;          /* keeps BPF_ENABLE_STATS on; -1: refused */
	uint32_t command_tgid; /* 0: none */
	struct symbolize symbolize;
	struct user_space user_space;
	struct slots_view slot_rows, slot_stacks; /* layout.slots; else empty */
	struct rowset before;                     /* AT_RATE: rows as of the last report */
	struct loss loss_before;
	struct cost cost_before;
	uint64_t missed_before;
	uint64_t
	    stopped_ns; /* when session_stop() ended the tracing, CLOCK_MONOTONIC; 0: it goes on */
	char stopped_why[160];
	uint32_t sample_every;             /* one event in so many is followed now; 0, 1: each */
	uint32_t sample_most;              /* the most that it was since the report began */
	struct sample_count sample_before; /* AT_RATE: as of the last report */
	char sample_why[160]; /* since when it is no more each; "": of the user's own will */
	uint64_t read_ns;     /* when the maps were read last; CLOCK_MONOTONIC */
	uint64_t start_ns, start_realtime_ns; /* of the period that the next report covers */
};

/*
 * Opens, configures, loads and attaches. A hook that the kernel refuses is
 * marked in the plan and the next of its role is tried. Returns OK, or FAILED
 * or CANNOT, said.
 */
enum status session_open(struct session *, struct plan *, uint32_t command_tgid);
/* What was seen so far (or since the last report, AT_RATE). Returns OK or FAILED, said. */
enum status session_collect(struct session *, struct snapshot *);
void session_close(struct session *);
/* For session_open(): the maps' entries and sizes as the plan has them. Returns 0 or -errno. */
int session_size_maps(struct session *);
/* The program of a hook, in the object that is open. */
struct bpf_program *session_program(const struct session *, const struct hook *);
/* Lends libbpf the kernel's types that the object and its hooks ask for, where there are any. OK,
 * or FAILED, said. */
enum status session_lend_types(struct session *);

/*
 * For tools' own collect(): what is live is read first, as raw bytes and in one
 * go; naming it takes longer and comes after.
 */
enum status session_read_map(struct session *, const char *name, uint32_t key_size,
			     uint32_t value_size, struct rowset *);
enum status session_read_rows(struct session *, struct rowset *); /* of map rows, or slots */
/* Adds up what each CPU has in element 0 of a per-CPU array: size bytes of uint64_t. Returns 0 or
 * -errno. */
int session_sum_cpus(const struct session *, const char *name, void *sums, size_t size);
/* Runs and run time of our programs since the last report. */
void session_read_cost(struct session *, struct snapshot *);
/* What our BPF programs took so far. */
uint64_t session_run_ns(const struct session *);
/*
 * Ends the tracing before the run's end: detaches, keeps what was seen. Reports say why from
 * then on, and have nothing that is asked of the kernel for each report.
 */
void session_stop(struct session *, const char *why, ...) __attribute__((format(printf, 2, 3)));
/* Up to when was traced: now, or when it was stopped. CLOCK_MONOTONIC */
uint64_t session_traced_ns(const struct session *);
enum status session_add_rows(struct session *, struct snapshot *, struct rowset *);
enum status session_row(struct session *, struct snapshot *, const void *key, const void *value);
/*
 * Runs the iterator of a role and gives back the records of size bytes that it
 * wrote, to be freed. None when the role is not there.
 */
enum status session_iterate(struct session *, const char *role, size_t size, void **records,
			    size_t *n);

#endif
