// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/symbols.h"

#include <errno.h>
#include <string.h>

#include "core/host.h"

/* Reading takes 60 ms: a fifth of a CPU, and not at once. */
#define AHEAD_FIRST_NS 250000000
#define AHEAD_WORK_NS 2000000
#define AHEAD_REST_NS 8000000
#define AHEAD_SOON_NS 1000000000 /* the first report may come before all is read */

static void read_begun(struct symbols *symbols)
{
	if (ksyms_reader_open(&symbols->ahead, symbols->both ? KSYMS_BOTH : KSYMS_TEXT, NULL))
		symbols->ahead = NULL;
}

/* What is left of it. */
static void read_rest(struct symbols *symbols)
{
	symbols->text_tried = true;
	symbols->data_tried = symbols->both;
	symbols->err =
	    ksyms_reader_end(symbols->ahead, &symbols->text, symbols->both ? &symbols->data : NULL);
	symbols->ahead = NULL;
}

static void read_both(struct symbols *symbols)
{
	symbols->text_tried = symbols->data_tried = true;
	symbols->err = ksyms_load_both(&symbols->text, &symbols->data, NULL);
}

struct ksyms *symbols_text(struct symbols *symbols)
{
	if (symbols->ahead)
		read_rest(symbols);
	if (!symbols->text_tried && symbols->both && !symbols->data_tried)
		read_both(symbols);
	if (!symbols->text_tried)
		symbols->err = ksyms_load(&symbols->text, NULL);
	symbols->text_tried = true;
	return symbols->text;
}

/* Who asks for data has functions to name, too, in the end. */
struct ksyms *symbols_data(struct symbols *symbols)
{
	if (symbols->ahead)
		read_rest(symbols);
	if (!symbols->data_tried && !symbols->text_tried)
		read_both(symbols);
	if (!symbols->data_tried)
		ksyms_load_data(&symbols->data, NULL);
	symbols->data_tried = true;
	return symbols->data;
}

uint64_t symbols_address(struct symbols *symbols, const char *name, enum ksyms_kind kind)
{
	uint64_t address = 0, end;
	int err = ksyms_ask(name, &address);

	if (err && err != -ENOENT)
		ksyms_range(kind == KSYMS_DATA ? symbols_data(symbols) : symbols_text(symbols),
			    name, &address, &end);
	return address;
}

static void forget(struct symbols *symbols)
{
	ksyms_reader_drop(symbols->ahead);
	ksyms_free(symbols->text);
	ksyms_free(symbols->data);
	symbols->ahead = NULL;
	symbols->text = symbols->data = NULL;
	symbols->text_tried = symbols->data_tried = symbols->stale = false;
	symbols->err = 0;
}

struct ksyms *symbols_text_of(struct symbols *symbols, const uint64_t *address, size_t n)
{
	struct ksyms *text = symbols_text(symbols);
	size_t i;

	for (i = 0; i < n && text && symbols->stale; i++)
		if (!ksyms_find(text, address[i])) {
			forget(symbols);
			text = symbols_text(symbols);
		}
	return text;
}

void symbols_begin(struct symbols *symbols, uint64_t now_ns, uint64_t interval_ns)
{
	bool soon = interval_ns && interval_ns < AHEAD_SOON_NS;

	kernel_code_look(&symbols->code);
	symbols->ahead_ns = now_ns + (soon ? 0 : AHEAD_FIRST_NS);
	symbols->rest_ns = soon ? 0 : AHEAD_REST_NS;
}

uint64_t symbols_read_ahead(struct symbols *symbols)
{
	uint64_t now_ns = host_monotonic_ns(), end_ns = now_ns + AHEAD_WORK_NS;

	if (symbols->text_tried || symbols->data_tried)
		return UINT64_MAX;
	if (now_ns < symbols->ahead_ns)
		return symbols->ahead_ns;
	if (!symbols->ahead)
		read_begun(symbols);
	while (symbols->ahead && host_monotonic_ns() < end_ns)
		if (!ksyms_reader_step(symbols->ahead))
			read_rest(symbols);
	symbols->ahead_ns = host_monotonic_ns() + symbols->rest_ns;
	return symbols->text_tried ? UINT64_MAX : symbols->ahead_ns;
}

void symbols_begin_report(struct symbols *symbols)
{
	const struct kernel_code before = symbols->code;

	if (!symbols->text_tried && !symbols->data_tried && !symbols->ahead)
		return;
	kernel_code_look(&symbols->code);
	if (symbols->code.modules != before.modules)
		forget(symbols);
	if (symbols->code.program != before.program)
		symbols->stale = symbols->text_tried || symbols->ahead;
}

void symbols_free(struct symbols *symbols)
{
	forget(symbols);
	memset(symbols, 0, sizeof(*symbols));
}
