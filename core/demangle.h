/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KTRACE_DEMANGLE_H
#define KTRACE_DEMANGLE_H

#include <stddef.h>

#define DEMANGLE_MAX 1024 /* bytes of a name; what is longer is only copied */

/*
 * C++ (Itanium), Rust (v0 and legacy) and D names as people write them, with parameters and
 * without what a function template returns, cut to size with "..." at the end; what is none
 * of them is copied (and cut in the same way). name is untrusted: work and memory are bounded.
 * Returns buf.
 */
char *demangle(const char *name, char *buf, size_t size);

#endif
