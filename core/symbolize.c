// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/symbolize.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/lock_name.h"
#include "core/cgroup.h"
#include "core/context.h"
#include "core/intern.h"
#include "core/ksyms.h"
#include "core/symbols.h"
#include "core/usyms.h"

#define FRAME_LEN 512

void symbolize_begin(struct symbolize *symbolize)
{
	symbols_begin_report(symbolize->plan->symbols);
	if (symbolize->usyms)
		usyms_refresh(symbolize->usyms);
}

void symbolize_done(struct symbolize *symbolize)
{
	stack_store_forget(&symbolize->stacks);
	free(symbolize->named);
	symbolize->named = NULL;
	symbolize->n_named = symbolize->size_named = 0;
	free(symbolize->ustacks.slots);
	symbolize->ustacks = (struct table){0};
}

void symbolize_end(struct symbolize *symbolize)
{
	symbolize_done(symbolize);
	usyms_free(symbolize->usyms);
	cgroup_names_free(symbolize->cgroups);
	memset(symbolize, 0, sizeof(*symbolize));
}

/* To name these addresses. Loaded on first use; the report says once why there are no names. */
static struct ksyms *kernel_symbols(struct symbolize *symbolize, struct snapshot *snap,
				    const uint64_t *address, size_t n)
{
	struct symbols *symbols = symbolize->plan->symbols;
	struct ksyms *text = symbols_text_of(symbols, address, n);

	if (symbols->err == -EPERM)
		snapshot_note(snap, "kernel symbols are hidden (needs CAP_SYSLOG, and "
				    "kernel.kptr_restrict below 2): frames have no names");
	else if (symbols->err)
		snapshot_note(snap, "/proc/kallsyms cannot be read (%s): frames have no names",
			      strerror(-symbols->err));
	return text;
}

static const struct stack *stack_special(struct snapshot *snap, uint64_t id)
{
	static const char *const lost[] = {"[lost]"};

	return snapshot_stack(snap, lost, id == STACK_NONE ? 0 : 1, false);
}

/* Frames that the user asked for; a walk that ended at the kernel's own limit is marked. */
static const struct stack *stack_of(const struct symbolize *symbolize, struct snapshot *snap,
				    const char *const *names, uint32_t n, bool walked_all)
{
	if (n > symbolize->plan->opts->stack_depth)
		return snapshot_stack_interned(snap, names, symbolize->plan->opts->stack_depth,
					       false);
	return snapshot_stack_interned(snap, names, n, !walked_all);
}

static int name_kstack(struct symbolize *symbolize, struct snapshot *snap,
		       const struct stack_frames *frames, struct named_stack *out)
{
	const uint64_t *ip = (const uint64_t *)frames->ip;
	struct ksyms *ksyms = kernel_symbols(symbolize, snap, ip, frames->n);
	char frame[FRAME_LEN] = "[unknown]";
	const char *names[MAX_DEPTH];
	uint32_t n = 0, i = 0;

	if (ksyms)
		i = ksyms_trim(ksyms, ip, (unsigned)frames->n, symbolize->plan->opts->tool->leaf);
	for (; i < frames->n; i++) {
		if (ksyms)
			ksyms_format(ksyms, ip[i], symbolize->plan->opts->verbose, frame,
				     sizeof(frame));
		names[n] = snapshot_text(snap, frame, sizeof(frame));
		if (!names[n++])
			return -ENOMEM;
	}
	if (symbolize->plan->filter.want & WANT_CONTEXT)
		out->context = context_of(names, &n, &out->interrupted);
	out->stack = stack_of(symbolize, snap, names, n, frames->n < MAX_DEPTH);
	return out->stack ? 0 : -ENOMEM;
}

static struct named_stack *named_slot(const struct symbolize *symbolize, uint64_t id)
{
	size_t slot = id & (symbolize->size_named - 1);

	while (symbolize->named[slot].stack && symbolize->named[slot].id != id)
		slot = (slot + 1) & (symbolize->size_named - 1);
	return &symbolize->named[slot];
}

static int named_grow(struct symbolize *symbolize)
{
	struct named_stack *old = symbolize->named;
	size_t old_size = symbolize->size_named, i;

	if ((symbolize->n_named + 1) * 2 <= old_size)
		return 0;
	symbolize->size_named = old_size ? old_size * 2 : 1024;
	symbolize->named = calloc(symbolize->size_named, sizeof(*symbolize->named));
	if (!symbolize->named) {
		symbolize->named = old;
		symbolize->size_named = old_size;
		return -ENOMEM;
	}
	for (i = 0; i < old_size; i++)
		if (old[i].stack)
			*named_slot(symbolize, old[i].id) = old[i];
	free(old);
	return 0;
}

int symbolize_kstack(struct symbolize *symbolize, struct snapshot *snap, uint64_t id,
		     struct named_stack *out)
{
	struct stack_frames frames;
	struct named_stack *slot;
	int err;

	if (named_grow(symbolize))
		return -ENOMEM;
	slot = named_slot(symbolize, id);
	if (slot->stack) {
		*out = *slot;
		return 0;
	}
	out->id = id;
	out->context = CONTEXT_TASK;
	out->interrupted = false;
	if (id == STACK_NONE || id == STACK_LOST) {
		out->stack = stack_special(snap, id);
		err = out->stack ? 0 : -ENOMEM;
		/* Who ran may have been interrupted: without the stack that cannot be told. */
		if (id == STACK_LOST && (symbolize->plan->filter.want & WANT_CONTEXT)) {
			out->context = "unknown";
			out->interrupted = true;
		}
	} else {
		err = stack_store_find(&symbolize->stacks, id, &frames);
		if (!err)
			err = name_kstack(symbolize, snap, &frames, out);
	}
	if (err)
		return err;
	*slot = *out;
	symbolize->n_named++;
	return 0;
}

/* The snapshot's copy of a frame's text, made once in a report. NULL: out of memory. */
static const char *frame_text(struct snapshot *snap, struct usyms_frame *frame)
{
	if (frame && !frame->interned)
		frame->interned = snapshot_text(snap, frame->text, FRAME_LEN);
	return frame ? frame->interned : NULL;
}

/*
 * A function that keeps no frame pointer ends the walk, or leads it astray: where it does not
 * end in a function that programs and threads begin in, it is marked. What the walk met
 * behind such a function, or last where nothing is mapped, is no frame and left out.
 */
static int name_ustack(struct symbolize *symbolize, struct snapshot *snap,
		       const struct stack_frames *frames, uint32_t tgid, const struct stack **out)
{
	enum usyms_kind kind, last = USYMS_FIRST; /* last: of the frames that are shown */
	const uint64_t *ip = (const uint64_t *)frames->ip;
	const char *names[MAX_DEPTH];
	struct usyms_walk walk = {.tgid = tgid};
	uint32_t i, n = 0;
	bool whole;

	walk.image = usyms_image(symbolize->usyms, tgid, ip, (unsigned)frames->n);
	for (i = 0; i < frames->n && (ip[i] || !i); i++) { /* 0: a coroutine's or thread's end */
		struct usyms_frame *frame = usyms_frame(symbolize->usyms, &walk, ip[i], i > 0);

		names[i] = frame_text(snap, frame);
		if (!names[i])
			return -ENOMEM;
		kind = frame->kind;
		if (i && last == USYMS_FIRST && kind != USYMS_FIRST)
			break;
		if (kind == USYMS_UNKNOWN)
			continue;
		n = i + 1;
		last = kind;
	}
	whole = n == i &&
		(last == USYMS_FIRST || i < frames->n || (last == USYMS_FILE && n < MAX_DEPTH));
	if (!n) /* a process that was never seen */
		n = i;
	if (usyms_unread(symbolize->usyms))
		snapshot_note(snap, "symbols of some files could not be read (they are gone, "
				    "replaced or refused): their frames are file+0xoffset");
	*out = stack_of(symbolize, snap, names, n, whole);
	return *out ? 0 : -ENOMEM;
}

int symbolize_ustack(struct symbolize *symbolize, struct snapshot *snap, uint64_t id, uint32_t tgid,
		     const struct stack **out)
{
	const uint64_t hash = hash_word(id, tgid);
	struct stack_frames frames;
	struct slot *slot;
	int err;

	if (id == STACK_NONE || id == STACK_LOST) {
		*out = stack_special(snap, id);
		return *out ? 0 : -ENOMEM;
	}
	if (table_reserve(&symbolize->ustacks))
		return -ENOMEM;
	/* Of one id no two processes have the same hash; and ids are hashes themselves. */
	slot = table_slot(&symbolize->ustacks, hash, table_same_hash, NULL);
	if (slot->ref) {
		*out = (const struct stack *)slot->ref;
		return 0;
	}
	err = stack_store_find(&symbolize->stacks, id, &frames);
	if (!err)
		err = name_ustack(symbolize, snap, &frames, tgid, out);
	if (!err)
		table_put(&symbolize->ustacks, slot, hash, (uintptr_t)*out);
	return err;
}

/* 1: the chain ends here; 0: it may go on; -ENOMEM, or -errno when the map could not be read. */
static int name_link(struct symbolize *symbolize, struct snapshot *snap, uint64_t id,
		     struct link *out)
{
	char name[COMM_LEN + 2] = "[lost]";
	struct chain_link link = {.kstack = STACK_NONE};
	struct named_stack kstack;
	int err;

	if (id != STACK_LOST && bpf_map_lookup_elem(symbolize->links_fd, &id, &link))
		return -errno;
	err = symbolize_kstack(symbolize, snap, link.kstack, &kstack);
	if (err)
		return err;
	if (id == STACK_LOST)
		kstack.interrupted = true;
	else if (kstack.interrupted)
		snprintf(name, sizeof(name), "[%s]", kstack.context);
	else
		snprintf(name, sizeof(name), "%.*s", COMM_LEN, link.comm);
	out->waker = snapshot_text(snap, name, sizeof(name));
	out->kstack = symbolize->plan->opts->user_stacks ? snapshot_stack(snap, NULL, 0, false)
							 : kstack.stack;
	return out->waker && out->kstack ? kstack.interrupted : -ENOMEM;
}

int symbolize_chain(struct symbolize *symbolize, struct snapshot *snap, uint64_t id,
		    const struct chain **out)
{
	struct chain_links ids = {.link = {id}};
	struct link link[CHAIN_MAX];
	uint32_t n = 0;
	int end = 0;

	if (id != STACK_NONE && id != STACK_LOST &&
	    bpf_map_lookup_elem(symbolize->chains_fd, &id, &ids))
		return -errno;
	while (!end && n < CHAIN_MAX && ids.link[n]) {
		end = name_link(symbolize, snap, ids.link[n], &link[n]);
		if (end < 0)
			return end;
		n++;
	}
	*out = snapshot_chain(snap, link, n);
	return *out ? 0 : -ENOMEM;
}

const char *symbolize_function(struct symbolize *symbolize, struct snapshot *snap, uint64_t address)
{
	static const char *const special[FUNC_SPECIAL_END] = {
	    [FUNC_SEVERAL] = "[several]",
	    [FUNC_TASKLET] = "[tasklet]",
	    [FUNC_HI] = "[hi]",
	};
	struct ksyms *ksyms;
	char name[FRAME_LEN];

	if (address && address < FUNC_SPECIAL_END)
		return snapshot_text(snap, special[address], FRAME_LEN);
	ksyms = kernel_symbols(symbolize, snap, &address, 1);
	if (ksyms)
		ksyms_format(ksyms, address, symbolize->plan->opts->verbose, name, sizeof(name));
	else
		snprintf(name, sizeof(name), "[unknown]");
	return snapshot_text(snap, name, sizeof(name));
}

const char *symbolize_lock(struct symbolize *symbolize, struct snapshot *snap, uint64_t address,
			   const struct lock_object *object)
{
	const struct ksym *symbol;
	const struct ksyms *data;
	char name[FRAME_LEN];

	if (!address)
		return snapshot_text(snap, "", 1);
	data = symbols_data(symbolize->plan->symbols);
	symbol = ksyms_find(data, address);
	if (symbol)
		ksyms_format(data, address, symbol->start != address, name, sizeof(name));
	else if (object->cache[0] && object->offset != LOCK_NO_OFFSET)
		snprintf(name, sizeof(name), "%.*s+0x%x", NAME_LEN, object->cache, object->offset);
	else if (object->cache[0])
		snprintf(name, sizeof(name), "%.*s", NAME_LEN, object->cache);
	else
		snprintf(name, sizeof(name), "0x%llx", (unsigned long long)address);
	return snapshot_text(snap, name, sizeof(name));
}

bool symbolize_is_in(struct symbolize *symbolize, struct snapshot *snap, uint64_t address,
		     const char *const *functions)
{
	const struct ksyms *ksyms = kernel_symbols(symbolize, snap, &address, 1);
	const struct ksym *symbol = ksyms_find(ksyms, address);

	for (; symbol && *functions; functions++)
		if (!strcmp(ksym_name(ksyms, symbol), *functions))
			return true;
	return false;
}

const char *symbolize_caller(struct symbolize *symbolize, struct snapshot *snap, uint64_t id,
			     const char *const *leaf)
{
	struct stack_frames frames;
	const struct ksyms *ksyms;
	const struct ksym *symbol;
	unsigned first;

	if (id == STACK_NONE || id == STACK_LOST ||
	    stack_store_find(&symbolize->stacks, id, &frames))
		return NULL;
	ksyms = kernel_symbols(symbolize, snap, (const uint64_t *)frames.ip, frames.n);
	if (!ksyms || !frames.n)
		return NULL;
	first = ksyms_trim(ksyms, (const uint64_t *)frames.ip, (unsigned)frames.n, leaf);
	symbol = first < frames.n ? ksyms_find(ksyms, frames.ip[first]) : NULL;
	return symbol ? ksym_name(ksyms, symbol) : NULL;
}

const char *symbolize_cgroup(struct symbolize *symbolize, struct snapshot *snap, uint64_t id)
{
	const char *path = NULL;
	char number[24];

	if (!symbolize->cgroups_tried) {
		symbolize->cgroups_tried = true;
		if (cgroup_names_load(&symbolize->cgroups))
			symbolize->cgroups = NULL;
	}
	if (symbolize->cgroups)
		path = cgroup_names_find(symbolize->cgroups, id);
	if (path)
		return snapshot_text(snap, path, 4096);
	/* Gone by now, or outside of the mount that we see. */
	snprintf(number, sizeof(number), "%llu", (unsigned long long)id);
	return snapshot_text(snap, number, sizeof(number));
}
