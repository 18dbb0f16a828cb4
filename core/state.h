/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Task states as letters, and --state: a list of them, or a raw mask. Pure. */
#ifndef KTRACE_CORE_STATE_H
#define KTRACE_CORE_STATE_H

#include <stdint.h>

#include "bpf/state.h"

/* Index of a letter of STATE_LETTERS, or -1. */
int state_index(char letter);
/* Letter of a raw kernel state. */
char state_letter(uint32_t raw);
/* Letter of an index as a key stores it; '?' when there is no such. */
char state_index_letter(uint32_t index);
/*
 * "D", "S,D", "!R", "!S,I" (all but these), "killable,D", or a number, decimal
 * or 0x...: raw bits, any in common; 0 is exactly state 0. Returns 0, or -EINVAL
 * with *out untouched; a list that leaves no state is as wrong as an unknown one.
 */
int state_parse(const char *arg, struct state_filter *out);

#endif
