// SPDX-License-Identifier: GPL-2.0-or-later
/* From the bytes of one row to its cells. */
#include <errno.h>
#include <string.h>

#include "core/session.h"
#include "core/state.h"

/* What one row's cells are made from. */
struct source {
	const unsigned char *key, *value;
	struct named_stack running; /* stack of what ran, where the context is asked for */
};

static uint64_t read_u64(const unsigned char *at, unsigned size)
{
	uint64_t wide = 0;

	memcpy(&wide, at,
	       size < sizeof(wide) ? size : sizeof(wide)); /* little-endian, as all we serve */
	return wide;
}

/* Who ran in an interrupt is no task: the column says the context instead. */
static int cell_of_interrupt(struct snapshot *snap, const struct column *column,
			     const struct source *source, union cell *cell)
{
	char name[16];

	switch (column->kind) {
	case KIND_COMM:
		snprintf(name, sizeof(name), "[%s]", source->running.context);
		cell->s = snapshot_text(snap, name, sizeof(name));
		return cell->s ? 0 : -ENOMEM;
	case KIND_USTACK:
		cell->stack = snapshot_stack(snap, NULL, 0, false);
		return cell->stack ? 0 : -ENOMEM;
	case KIND_CHAIN:
		cell->chain = snapshot_chain(snap, NULL, 0);
		return cell->chain ? 0 : -ENOMEM;
	default:
		cell->u = 0;
		return 0;
	}
}

static int cell_of_key(struct session *session, struct snapshot *snap, const struct column *column,
		       const struct source *source, union cell *cell)
{
	const unsigned char *at = (column->in_value ? source->value : source->key) + column->off;
	struct named_stack kstack;
	const void *made = NULL;
	int err;

	if (column->running && source->running.interrupted)
		return cell_of_interrupt(snap, column, source, cell);
	switch (column->kind) {
	case KIND_U32:
		cell->u = read_u64(at, column->size);
		return 0;
	case KIND_STATE:
		cell->u = (unsigned char)state_index_letter((uint32_t)read_u64(at, column->size));
		return 0;
	case KIND_COMM:
	case KIND_TEXT:
		made = cell->s = snapshot_text(snap, (const char *)at, column->size);
		break;
	case KIND_CONTEXT:
		made = cell->s = snapshot_text(snap, source->running.context, 16);
		break;
	case KIND_CGROUP:
		made = cell->s = symbolize_cgroup(&session->symbolize, snap, read_u64(at, 8));
		break;
	case KIND_ENUM:
		made = cell->s = snapshot_text(
		    snap, column_enum_name(column, (uint32_t)read_u64(at, 4)), NAME_LEN);
		break;
	case KIND_FUNC:
		made = cell->s = symbolize_function(&session->symbolize, snap, read_u64(at, 8));
		break;
	case KIND_TARGET:
		made = cell->s = snapshot_text(
		    snap, session->targets.at[read_u64(at, column->size)].name, SIZE_MAX);
		break;
	case KIND_LOCK:
		made = cell->s =
		    symbolize_lock(&session->symbolize, snap, read_u64(at, 8),
				   (const struct lock_object *)(source->value + column->object));
		break;
	case KIND_KSTACK:
		err = symbolize_kstack(&session->symbolize, snap, read_u64(at, 8), &kstack);
		cell->stack = kstack.stack;
		return err;
	case KIND_USTACK:
		return symbolize_ustack(&session->symbolize, snap, read_u64(at, 8),
					(uint32_t)read_u64(source->key + column->tgid, 4),
					&cell->stack);
	case KIND_CHAIN:
		return symbolize_chain(&session->symbolize, snap, read_u64(at, 8), &cell->chain);
	default:
		break;
	}
	return made ? 0 : -ENOMEM;
}

static int cell_of_value(struct snapshot *snap, const struct column *column,
			 const struct source *source, union cell *cell)
{
	if (column->kind == KIND_HIST_NS) {
		cell->hist = snapshot_hist(snap);
		if (!cell->hist)
			return -ENOMEM;
		memcpy(cell->hist, source->value + column->off, column->size);
		return 0;
	}
	cell->u =
	    column_is_computed(column) ? 0 : read_u64(source->value + column->off, column->size);
	return 0;
}

enum status session_row(struct session *session, struct snapshot *snap, const void *key,
			const void *value)
{
	const struct layout *layout = &session->plan->opts->tool->layout;
	struct source source = {.key = key, .value = value};
	union cell cells[MAX_COLUMNS];
	unsigned i;
	int err = 0;

	if (session->plan->filter.want & WANT_CONTEXT)
		err = symbolize_kstack(&session->symbolize, snap,
				       read_u64(source.key + layout->running_kstack, 8),
				       &source.running);
	for (i = 0; !err && i < snap->n_columns; i++)
		err = snap->column[i]->key
			  ? cell_of_key(session, snap, snap->column[i], &source, &cells[i])
			  : cell_of_value(snap, snap->column[i], &source, &cells[i]);
	if (!err)
		err = snapshot_add(snap, cells);
	return err ? fail(FAILED, "cannot make the report: %s", strerror(-err)) : OK;
}
