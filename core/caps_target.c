// SPDX-License-Identifier: GPL-2.0-or-later
/* What the kernel says of one target: a tracepoint and its arguments, a function. */
#include <linux/btf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/caps_probe.h"
#include "core/symbols.h"

#define MAX_WORDS 32 /* of pointers and modifiers: malformed BTF has circles */

static bool is_modifier(uint32_t kind)
{
	return kind == BTF_KIND_CONST || kind == BTF_KIND_VOLATILE || kind == BTF_KIND_RESTRICT ||
	       kind == BTF_KIND_TYPE_TAG;
}

/* "struct task_struct *": less what only modifies it. */
static void append_type(char *out, size_t size, const struct btf_types *types, uint32_t id)
{
	const struct btf_type *type = btf_types_at(types, id);
	unsigned pointers = 0, depth;
	size_t len = strlen(out);
	const char *name;
	uint32_t kind;

	for (depth = 0; type && depth < MAX_WORDS; depth++) {
		kind = btf_type_kind(type);
		if (kind != BTF_KIND_PTR && !is_modifier(kind))
			break;
		pointers += kind == BTF_KIND_PTR;
		type = btf_types_at(types, type->type);
	}
	name = type ? btf_types_name(types, type->name_off) : "void";
	kind = type ? btf_type_kind(type) : 0;
	snprintf(out + len, size - len, "%s%s", kind == BTF_KIND_STRUCT ? "struct " : "",
		 name ? name : "");
	for (; pointers; pointers--)
		strncat(out, " *", size - strlen(out) - 1);
}

/* typedef void (*btf_trace_EVENT)(void *, ARGUMENTS); NULL: not of this form. */
static const struct btf_type *trace_proto(const struct btf_types *types, uint32_t id)
{
	const struct btf_type *type = btf_types_at(types, id);

	type = type ? btf_types_at(types, type->type) : NULL;
	if (!type || btf_type_kind(type) != BTF_KIND_PTR)
		return NULL;
	type = btf_types_at(types, type->type);
	return type && btf_type_kind(type) == BTF_KIND_FUNC_PROTO ? type : NULL;
}

/* The kernel's own word on the arguments of an event. */
static void probe_proto(struct probe *probe, const char *event)
{
	const struct btf_types *types = kernel_btf_types(probe->btf);
	char key[96], value[512] = "";
	const struct btf_type *proto;
	const struct btf_param *param;
	uint32_t i;

	snprintf(key, sizeof(key), "btf_trace_%s", event);
	proto = trace_proto(types, probe_type(probe, key, BTF_KIND_TYPEDEF));
	snprintf(key, sizeof(key), "proto.%s", event);
	if (!proto) {
		probe_set(probe, key, "no");
		return;
	}
	param = (const void *)(proto + 1);
	for (i = 1; i < BTF_INFO_VLEN(proto->info); i++) {
		if (i > 1)
			strncat(value, ";", sizeof(value) - strlen(value) - 1);
		append_type(value, sizeof(value), types, param[i].type);
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
			value = probe_type(probe, name, BTF_KIND_FUNC)              ? "yes"
				: symbols_address(probe->symbols, name, KSYMS_TEXT) ? "symbol"
										    : "no";
			probe_set(probe, key, value);
		}
		if (!strcmp(value, "yes"))
			return;
	}
}

static bool on_function(const struct hook *hook)
{
	return hook->via == VIA_FENTRY || hook->via == VIA_KPROBE;
}

static void expect_functions(struct probe *probe, const char *targets)
{
	char name[TARGET_LEN];

	while ((targets = tool_next_target(targets, name)))
		probe_expect(probe, name, BTF_KIND_FUNC);
}

void probe_expect_target(struct probe *probe, const struct hook *hook)
{
	const char *colon = strchr(hook->target, ':');
	char name[96];

	if (hook->patterns)
		return;
	if (hook->beside)
		expect_functions(probe, hook->beside);
	if (on_function(hook)) {
		expect_functions(probe, hook->target);
	} else if (colon) {
		snprintf(name, sizeof(name), "btf_trace_%s", colon + 1);
		probe_expect(probe, name, BTF_KIND_TYPEDEF);
	}
}

void probe_target(struct probe *probe, const struct hook *hook)
{
	if (hook->patterns)
		return;
	if (hook->beside)
		probe_functions(probe, hook->beside);
	if (on_function(hook))
		probe_functions(probe, hook->target);
	else
		probe_tracepoint(probe, hook->target);
}
