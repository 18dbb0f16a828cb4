// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/slots.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/host.h"

#define SLOTS_BYTES (16u << 20)
#define SLOTS_LEAST 64
#define ROWS_MOST 8192
#define STACKS_MOST 4096
/* Mapped at a time. */
#define PIECE_BYTES (1u << 20)
/* A row is written in some hundred nanoseconds; a CPU can be away in the middle of it. */
#define TRIES 1000000

static uint32_t slots_fitting(uint32_t cpus, size_t slot_size, uint32_t most)
{
	size_t n = SLOTS_BYTES / cpus / slot_size;

	return n < SLOTS_LEAST ? SLOTS_LEAST : n > most ? most : (uint32_t)n;
}

void slots_plan(const struct plan *plan, struct slots *slots)
{
	const struct layout *layout = &plan->opts->tool->layout;

	slots->cpus = host_cpus();
	slots->rows = slots_fitting(
	    slots->cpus, sizeof(struct slot_head) + layout->key_size + layout->value_size,
	    ROWS_MOST);
	slots->stacks =
	    slots_fitting(slots->cpus, sizeof(uint64_t) * (2 + plan->filter.depth), STACKS_MOST);
	if (plan->opts->max_rows)
		slots->rows = plan->opts->max_rows;
	if (plan->max_stacks == 1 || plan->opts->max_stacks)
		slots->stacks = plan->max_stacks;
}

void slots_open(struct slots_view *view, const struct bpf_map *map)
{
	*view = (struct slots_view){
	    .fd = bpf_map__fd(map),
	    /* the kernel rounds an array's elements up to 8 bytes */
	    .slot_size = (bpf_map__value_size(map) + 7) / 8 * 8,
	    .n = bpf_map__max_entries(map),
	};
}

void slots_unmap(struct slots_view *view)
{
	if (view->len)
		munmap((void *)view->mem, view->len);
	view->mem = NULL;
	view->len = 0;
	view->first = view->end = 0;
}

/* Maps the piece that begins with slot i; false: errno says why not. */
static bool slots_move(struct slots_view *view, uint32_t i)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), at = (size_t)view->slot_size * i;
	size_t all = ((size_t)view->slot_size * view->n + page - 1) / page * page;
	size_t from = at / page * page, len = all - from, end;
	void *mem;

	if (len > PIECE_BYTES)
		len = PIECE_BYTES;
	slots_unmap(view);
	mem = mmap(NULL, len, PROT_READ, MAP_SHARED, view->fd, (off_t)from);
	if (mem == MAP_FAILED)
		return false;
	view->mem = mem;
	view->from = from;
	view->len = len;
	end = (from + len) / view->slot_size;
	view->first = i;
	view->end = end < view->n ? (uint32_t)end : view->n;
	return true;
}

/* NULL: errno says why. */
static const unsigned char *slots_at(struct slots_view *view, uint32_t i)
{
	if ((i < view->first || i >= view->end) && !slots_move(view, i))
		return NULL;
	return view->mem + ((size_t)view->slot_size * i - view->from);
}

/* A copy of the slot that no program wrote to meanwhile; false: it is free. */
static bool slot_copy(const unsigned char *slot, unsigned char *to, size_t size)
{
	const struct slot_head *head = (const struct slot_head *)slot;
	unsigned tries;
	uint64_t gen;

	for (tries = 0; tries < TRIES; tries++) {
		gen = __atomic_load_n(&head->gen, __ATOMIC_ACQUIRE);
		if (!gen)
			return false;
		if (gen & 1)
			continue;
		memcpy(to, slot, size);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (__atomic_load_n(&head->gen, __ATOMIC_RELAXED) == gen)
			return true;
	}
	memcpy(to, slot, size);
	return true;
}

int slots_read(struct slots_view *view, struct rowset *rows, uint32_t key_size, uint32_t value_size)
{
	unsigned char *copy = malloc(view->slot_size);
	const unsigned char *slot, *key;
	uint32_t i;
	int err = 0;

	memset(rows, 0, sizeof(*rows));
	rows->key_size = key_size;
	rows->value_size = value_size;
	if (!copy)
		return -ENOMEM;
	key = copy + sizeof(struct slot_head);
	for (i = 0; i < view->n && !err; i++) {
		slot = slots_at(view, i);
		if (!slot)
			err = -errno;
		else if (slot_copy(slot, copy, view->slot_size))
			err = rowset_add(rows, key, key + key_size);
	}
	free(copy);
	return err;
}

int slots_stack(struct slots_view *view, uint32_t i, const struct slot_stack **stack)
{
	const struct slot_stack *slot = (const struct slot_stack *)slots_at(view, i);

	if (!slot)
		return -errno;
	*stack = __atomic_load_n(&slot->id, __ATOMIC_ACQUIRE) ? slot : NULL;
	return 0;
}
