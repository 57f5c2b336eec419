// SPDX-License-Identifier: GPL-2.0-only
#include "buffer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PIECE_BYTES ((size_t)64 << 10)

static void reserve(struct buffer *buffer, size_t more)
{
	if (buffer->room - buffer->length >= more)
		return;
	buffer->room = buffer->room * 2 + more;
	buffer->bytes = must_have(buffer->bytes, buffer->room);
}

void buffer_add(struct buffer *buffer, const void *bytes, size_t length)
{
	if (length == 0)
		return;
	reserve(buffer, length);
	memcpy(buffer->bytes + buffer->length, bytes, length);
	buffer->length += length;
}

void buffer_print(struct buffer *buffer, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	/* One for the NUL, which does not count. */
	reserve(buffer, (size_t)length + 1);
	va_start(arguments, format);
	vsnprintf((char *)buffer->bytes + buffer->length, (size_t)length + 1, format, arguments);
	va_end(arguments);
	buffer->length += (size_t)length;
}

int buffer_file(struct buffer *buffer, const char *path, size_t limit)
{
	size_t before = buffer->length;
	int file = open(path, O_RDONLY | O_CLOEXEC);
	int error = 0;
	ssize_t got;

	if (file < 0)
		return errno;
	do {
		reserve(buffer, PIECE_BYTES);
		got = read(file, buffer->bytes + buffer->length, PIECE_BYTES);
		if (got > 0)
			buffer->length += (size_t)got;
	} while (got > 0 && buffer->length - before <= limit);
	if (got < 0)
		error = errno;
	else if (buffer->length - before > limit)
		error = EFBIG;
	if (error)
		buffer->length = before;
	close(file);
	return error;
}
