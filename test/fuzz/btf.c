// SPDX-License-Identifier: GPL-2.0-or-later
/* A kernel's types: looked for by name, and cut down to some. What is cut down must be BTF again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/btf_prune.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int note(void *types, const struct btf_name *name, uint32_t id, const struct btf_type *type)
{
	const char *text = btf_types_name(types, type->name_off);

	if (!text || !id || strncmp(text, name->text, name->len))
		abort();
	return 0;
}

static void prune(struct btf_types *types, const struct btf_names *names)
{
	const uint32_t ids[] = {1, 3};
	struct btf_pruned pruned;
	struct btf_types small;

	if (btf_prune(types, names, ids, types->n > 3 ? 2 : 0, &pruned))
		return;
	if (btf_types_open(&small, pruned.bytes, pruned.len) ||
	    btf_types_match(&small, names, note, &small) || small.n != pruned.n)
		abort();
	for (uint32_t i = 1; i < pruned.n; i++)
		if (btf_type_kind(btf_types_at(&small, i)) !=
		    btf_type_kind(btf_types_at(types, pruned.id[i])))
			abort();
	btf_types_close(&small);
	btf_pruned_free(&pruned);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *bytes = malloc(size); /* at a word, and ending where it ends */
	struct btf_names names = {};
	struct btf_types types;

	if (!bytes && size)
		abort();
	if (size)
		memcpy(bytes, data, size);
	btf_names_add(&names, "task", 4, BTF_LISTED, BTF_FLAVORS);
	btf_names_add(&names, "int", 3, BTF_LISTED, BTF_EXACT);
	btf_names_add(&names, "task_", 5, BTF_BIT(BTF_KIND_FUNC), BTF_PREFIX);
	if (!btf_types_open(&types, bytes, size)) {
		btf_types_match(&types, &names, note, &types);
		prune(&types, &names);
	}
	btf_types_close(&types);
	btf_names_free(&names);
	free(bytes);
	return 0;
}
