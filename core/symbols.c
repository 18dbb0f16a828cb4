// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/symbols.h"

#include <string.h>

#include "core/ksyms.h"

static void read_both(struct symbols *symbols)
{
	symbols->text_tried = symbols->data_tried = true;
	symbols->err = ksyms_load_both(&symbols->text, &symbols->data, NULL);
}

struct ksyms *symbols_text(struct symbols *symbols)
{
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
	if (!symbols->data_tried && !symbols->text_tried)
		read_both(symbols);
	if (!symbols->data_tried)
		ksyms_load_data(&symbols->data, NULL);
	symbols->data_tried = true;
	return symbols->data;
}

void symbols_free(struct symbols *symbols)
{
	ksyms_free(symbols->text);
	ksyms_free(symbols->data);
	memset(symbols, 0, sizeof(*symbols));
}
