// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel's types that an object with its hooks asks for, before it is loaded. */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>

#include "core/btf_lend.h"
#include "core/kernel_btf.h"
#include "core/session.h"

/* What libbpf will look for to attach a program to: by its section's name, or its target. */
static int expect_target(struct kernel_btf *kernel, const struct bpf_program *program,
			 const char *function)
{
	const char *of_section = strchr(bpf_program__section_name(program), '/');
	uint32_t kind = BTF_KIND_FUNC;
	char name[128];

	if (bpf_program__type(program) != BPF_PROG_TYPE_TRACING)
		return 0;
	of_section = of_section ? of_section + 1 : "";
	switch ((unsigned)bpf_program__expected_attach_type(program)) {
	case BPF_TRACE_RAW_TP:
		kind = BTF_KIND_TYPEDEF;
		snprintf(name, sizeof(name), "btf_trace_%s", of_section);
		break;
	case BPF_TRACE_ITER:
		snprintf(name, sizeof(name), "bpf_iter_%s", of_section);
		break;
	default:
		snprintf(name, sizeof(name), "%s", function);
	}
	return kernel_btf_expect(kernel, name, kind);
}

static int expect_targets(struct session *session, struct kernel_btf *kernel)
{
	struct plan *plan = session->plan;
	const struct role *role;
	int err = 0;

	for (role = plan->role; role < plan->role + plan->n_roles && !err; role++) {
		const struct candidate *chosen = plan_chosen(plan, role);

		if (chosen)
			err = expect_target(kernel, session_program(session, chosen->hook),
					    chosen->target);
	}
	return err;
}

enum status session_lend_types(struct session *session)
{
	struct kernel_btf *kernel = kernel_btf();
	int err;

	if (!kernel)
		return OK;
	err = expect_targets(session, kernel);
	if (!err)
		err = btf_lend(kernel, session->obj);
	return err ? fail(FAILED, "cannot read the kernel's types: %s", strerror(-err)) : OK;
}
