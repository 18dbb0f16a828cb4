/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KTRACE_HEAP_PLACE_H
#define KTRACE_HEAP_PLACE_H

#include <stddef.h>

/*
 * Where in a function its entry is best hooked, as bytes from its start. The kernel emulates
 * few instructions; any other it steps through in a copy, with a second exception, which can
 * take ten times as long where a hypervisor looks at it. So the hook goes behind what
 * changes neither stack nor arguments, if something that is emulated follows. Pure.
 */
size_t heap_place(const unsigned char *code, size_t len);

#endif
