// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/read_all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/grow.h"

#define PIECE 16384

int read_all(int fd, size_t max, char **text, size_t *len)
{
	size_t room = 0;
	ssize_t got = 1;
	int err = 0;

	*text = NULL;
	*len = 0;
	while (got && !err) {
		if (*len > max)
			err = -EFBIG;
		else
			err = grow((void **)text, &room, *len + PIECE, 1, PIECE);
		if (err)
			break;
		got = read(fd, *text + *len, room - *len);
		if (got > 0)
			*len += (size_t)got;
		else if (got < 0 && errno != EINTR && errno != EAGAIN) /* BPF iterators give it */
			err = -errno;
	}
	if (err) {
		free(*text);
		*text = NULL;
	}
	return err;
}

int read_path(const char *path, size_t max, char **text, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err;

	*text = NULL;
	*len = 0;
	if (fd < 0)
		return -errno;
	err = read_all(fd, max, text, len);
	close(fd);
	return err;
}
