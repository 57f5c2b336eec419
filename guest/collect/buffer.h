/* SPDX-License-Identifier: GPL-2.0-only */
/* Bytes that grow. */
#ifndef PTDIFF_BUFFER_H
#define PTDIFF_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fail.h"

struct buffer {
	unsigned char *bytes;
	size_t length;
	size_t room;
};

void buffer_add(struct buffer *buffer, const void *bytes, size_t length);
void buffer_print(struct buffer *buffer, const char *format, ...) SAYS(2, 3);

/*
 * Adds a file, at most `limit` bytes of it. 0; an errno; or EFBIG where it is longer, and then the
 * buffer is left as it was.
 */
int buffer_file(struct buffer *buffer, const char *path, size_t limit);

#endif
