/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KTRACE_CMD_SLAB_FIND_H
#define KTRACE_CMD_SLAB_FIND_H

#include "bpf/shared.h"
#include "bpf/slab_find.h"
#include "core/plan.h"

/*
 * Fills in how programs find the slab cache of an object on the running kernel; offsets:
 * and where in the object an address lies.
 */
void slab_find_prepare(struct slab_find *, const struct plan *, bool offsets);

#endif
