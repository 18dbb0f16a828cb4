/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Log2 histograms: slot i counts values in [2^i, 2^(i+1)), slot 0 those of 0 and 1. */
#ifndef KTRACE_HIST_H
#define KTRACE_HIST_H

#include <stdint.h>

#include "bpf/shared.h"

/* Bounds of a slot, lo inclusive, hi exclusive; the last slot's hi is UINT64_MAX. */
uint64_t hist_lo(unsigned slot);
uint64_t hist_hi(unsigned slot);
unsigned hist_slot(uint64_t value);
/* First and last slot that count something; returns 0 when all are empty. */
int hist_range(const uint64_t *slots, unsigned *first, unsigned *last);
uint64_t hist_total(const uint64_t *slots);
/*
 * The value that permille of those counted do not exceed, told from the slots: as if each
 * slot's were spread evenly. 0 when nothing is counted. At most one slot wrong, which is a
 * factor of 2.
 */
uint64_t hist_quantile(const uint64_t *slots, unsigned permille);
void hist_add(uint64_t *into, const uint64_t *from);

#endif
