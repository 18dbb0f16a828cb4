/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's records of mappings, execs, forks and exits: one ring buffer for each
 * CPU, drained in the order of time.
 */
#ifndef KTRACE_PERF_RECORDS_H
#define KTRACE_PERF_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/processes.h"

struct perf_records;

/* Returns 0, or -errno: -ENOMEM, or why the kernel refuses; then *records is NULL. */
int perf_records_open(struct perf_records **records);
void perf_records_close(struct perf_records *); /* NULL is fine */
/* Readable when there is a record. */
int perf_records_fd(const struct perf_records *);
/* Hands all records there are to processes, and returns how many. */
size_t perf_records_drain(struct perf_records *, struct processes *);
/* Looks for CPUs that came or went. True: some came, and what they did until now is unknown. */
bool perf_records_recount(struct perf_records *);
/* Records that were lost from the beginning, at least. */
uint64_t perf_records_lost(const struct perf_records *);

#endif
