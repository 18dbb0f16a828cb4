/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * User frames, named by the function they lie in: the one of the ELF file that is
 * mapped there, or what a JIT compiler says of its memory; else by the file,
 * "libc.so.6+0x26abc". Names are raw bytes: what prints them escapes them.
 */
#ifndef KTRACE_USYMS_H
#define KTRACE_USYMS_H

#include <stdbool.h>
#include <stdint.h>

struct mapping;
struct processes;
struct usyms;

/* How frames are shown. */
struct usyms_style {
	bool mangled; /* C++, Rust and D names as they are in the file */
	bool offset;  /* "read+0x1f [libc.so.6]" in place of "read" */
};

struct usyms *usyms_new(const struct usyms_style *); /* NULL: out of memory */
void usyms_free(struct usyms *);

/* What processes have mapped, for who learns of it. */
struct processes *usyms_processes(struct usyms *);
/* A new report begins: maps are read anew where they are asked for. */
void usyms_refresh(struct usyms *);

enum usyms_kind {
	USYMS_UNKNOWN,  /* nothing is mapped there, or the process was never seen: "[unknown]" */
	USYMS_FILE,     /* no function is known: "file+0x1f", "[anon]+0x1f" */
	USYMS_FUNCTION, /* "read" */
	USYMS_FIRST,    /* a function that programs and threads begin in: walks end there */
};

/*
 * Which image of a process a walk is of: before or after an exec. Stacks have no time, so it is
 * told by what fits: the one in which the walk ends where programs begin, or that maps the most
 * of it; of several the last. 0 for a process that did not exec.
 */
unsigned usyms_image(struct usyms *, uint32_t tgid, const uint64_t *ip, unsigned n);
/* A frame as it is named, which may be forgotten when the next one is asked for. */
struct usyms_frame {
	const char *text;
	enum usyms_kind kind;
	/* For who asks: his copy of text. NULL when the frame is new in this report. */
	const char *interned;
};

/* Whose frames are named; as long as nothing is learned of processes. */
struct usyms_walk {
	uint32_t tgid;
	unsigned image;
	const struct mapping
	    *map; /* begins as NULL: where the last frame lay, for most follow there */
};

/*
 * Names an address of a walk. calls: it is a return address, so the call before it is what is
 * named. A text that would be too long is cut before its offset is. NULL: out of memory.
 */
struct usyms_frame *usyms_frame(struct usyms *, struct usyms_walk *, uint64_t ip, bool calls);

/* Could the symbols of some mapped file not be read? */
bool usyms_unread(const struct usyms *);

#endif
