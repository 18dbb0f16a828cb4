/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * User frames, named by the file they lie in: "libc.so.6+0x26abc", where the
 * offset is the file's. /proc/TGID/maps is read once per process and report.
 * File names are raw bytes: what prints them escapes them.
 */
#ifndef KTRACE_USYMS_H
#define KTRACE_USYMS_H

#include <stddef.h>
#include <stdint.h>

struct usyms;

struct usyms *usyms_new(void); /* NULL: out of memory */
void usyms_free(struct usyms *);

/* A new report begins: maps are read anew where they are asked for. */
void usyms_refresh(struct usyms *);

/*
 * Reads the maps of a process that may be gone when its frames are named; does
 * nothing when this report has them. Returns 0 or -errno (-ESRCH: it has none).
 */
int usyms_learn(struct usyms *, uint32_t tgid);

/* As usyms_learn(), from text as it stands in /proc/TGID/maps. */
int usyms_learn_text(struct usyms *, uint32_t tgid, const char *text, size_t len);

/*
 * "file+0x1f", "[vdso]+0x1f", "[anon]+0x1f", or "[unknown]" when nothing is
 * mapped there or the process was never seen. A process that is gone is named by
 * the maps last known. Returns buf; a name that does not fit is cut before its
 * offset is.
 */
char *usyms_frame(struct usyms *, uint32_t tgid, uint64_t ip, char *buf, size_t size);

#endif
