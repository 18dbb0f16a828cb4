/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What libbpf says is kept from stderr unless asked for; of failures the first line counts. */
#ifndef KTRACE_BPF_LOG_H
#define KTRACE_BPF_LOG_H

#include <stdbool.h>

/* Forgets what was said before. verbose: pass everything on to stderr. */
void bpf_log_begin(bool verbose);
/* Name of the program that the log blames, or "". */
const char *bpf_log_program(void);
/* The first line that told of a failure. */
const char *bpf_log_line(void);
/* What an error number of libbpf means: its own begin at 4000. Static storage. */
const char *bpf_log_strerror(int err);

#endif
