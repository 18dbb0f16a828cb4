// SPDX-License-Identifier: GPL-2.0-or-later
/* What the kernel says of one target: a tracepoint and its arguments, a function. */
#include <bpf/btf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/caps_probe.h"
#include "core/symbols.h"

static void append_type(char *out, size_t size, const struct btf *btf, __u32 id)
{
	const struct btf_type *type = btf__type_by_id(btf, id);
	size_t len = strlen(out);

	if (!type || btf_is_void(type)) {
		snprintf(out + len, size - len, "void");
		return;
	}
	if (btf_is_ptr(type)) {
		append_type(out, size, btf, type->type);
		len = strlen(out);
		snprintf(out + len, size - len, " *");
	} else if (btf_is_mod(type)) {
		append_type(out, size, btf, type->type);
	} else {
		snprintf(out + len, size - len, "%s%s", btf_is_struct(type) ? "struct " : "",
			 btf__name_by_offset(btf, type->name_off));
	}
}

/* typedef void (*btf_trace_EVENT)(void *, ARGUMENTS): the kernel's own word on the arguments. */
static void probe_proto(struct probe *probe, const char *event)
{
	char key[96], value[512] = "";
	const struct btf_type *type;
	const struct btf_param *param;
	int id, i;

	snprintf(key, sizeof(key), "btf_trace_%s", event);
	id = btf__find_by_name_kind(probe->btf, key, BTF_KIND_TYPEDEF);
	snprintf(key, sizeof(key), "proto.%s", event);
	if (id < 0) {
		probe_set(probe, key, "no");
		return;
	}
	type = btf__type_by_id(probe->btf, btf__type_by_id(probe->btf, (__u32)id)->type);
	type = type ? btf__type_by_id(probe->btf, type->type) : NULL;
	if (!type || !btf_is_func_proto(type)) {
		probe_set(probe, key, "no");
		return;
	}
	param = btf_params(type);
	for (i = 1; i < btf_vlen(type); i++) {
		if (i > 1)
			strncat(value, ";", sizeof(value) - strlen(value) - 1);
		append_type(value, sizeof(value), probe->btf, param[i].type);
	}
	probe_set(probe, key, *value ? value : "none");
}

static void probe_tracepoint(struct probe *probe, const char *target)
{
	const char *colon = strchr(target, ':');
	char key[128], path[256];

	if (!colon)
		return;
	snprintf(key, sizeof(key), "tp.%s", target);
	if (caps_get(probe->caps, key))
		return;
	snprintf(path, sizeof(path), "%s/events/%.*s/%s/id", probe->tracefs ? probe->tracefs : "",
		 (int)(colon - target), target, colon + 1);
	probe_set(probe, key, !probe->tracefs ? "unknown" : access(path, R_OK) ? "no" : "yes");
	if (probe->btf)
		probe_proto(probe, colon + 1);
}

/*
 * Each of "a|b|c" up to the first that BTF describes. BTF's word is enough: where the symbol
 * is missing all the same the hook is refused at load.
 */
static void probe_functions(struct probe *probe, const char *targets)
{
	char name[TARGET_LEN], key[TARGET_LEN + 8];
	const char *value;

	while ((targets = tool_next_target(targets, name))) {
		snprintf(key, sizeof(key), "fn.%s", name);
		value = caps_get(probe->caps, key);
		if (!value) {
			value = probe->btf &&
					btf__find_by_name_kind(probe->btf, name, BTF_KIND_FUNC) > 0
				    ? "yes"
				: symbols_address(probe->symbols, name, KSYMS_TEXT) ? "symbol"
										    : "no";
			probe_set(probe, key, value);
		}
		if (!strcmp(value, "yes"))
			return;
	}
}

void probe_target(struct probe *probe, const struct hook *hook)
{
	if (hook->patterns)
		return;
	if (hook->beside)
		probe_functions(probe, hook->beside);
	if (hook->via == VIA_FENTRY || hook->via == VIA_KPROBE)
		probe_functions(probe, hook->target);
	else
		probe_tracepoint(probe, hook->target);
}
