/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Arrays that grow by doubling. */
#ifndef KTRACE_GROW_H
#define KTRACE_GROW_H

#include <errno.h>
#include <stdlib.h>

/* Room for need items; first is the room of a new array. Returns 0, or -ENOMEM with all as it was.
 */
static inline int grow(void **array, size_t *room, size_t need, size_t item, size_t first)
{
	size_t next = *room ? *room : first;
	void *bigger;

	if (need <= *room)
		return 0;
	while (next < need)
		next *= 2;
	bigger = reallocarray(*array, next, item);
	if (!bigger)
		return -ENOMEM;
	*array = bigger;
	*room = next;
	return 0;
}

#endif
