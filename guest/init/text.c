// SPDX-License-Identifier: GPL-2.0-only
#include "text.h"

#include <string.h>
#include <unistd.h>

void text_clear(struct text *text)
{
	text->length = 0;
}

static void text_bytes(struct text *text, const char *bytes, size_t length)
{
	size_t room = sizeof(text->bytes) - 1 - text->length; /* one for the NUL of text_done() */

	if (length > room)
		length = room;
	memcpy(text->bytes + text->length, bytes, length);
	text->length += length;
}

void text_string(struct text *text, const char *string)
{
	text_bytes(text, string, strlen(string));
}

static void text_number(struct text *text, uint64_t value, unsigned int base)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	text_bytes(text, digits + at, sizeof(digits) - at);
}

void text_decimal(struct text *text, uint64_t value)
{
	text_number(text, value, 10);
}

void text_hex(struct text *text, uint64_t value)
{
	text_string(text, "0x");
	text_number(text, value, 16);
}

void text_byte(struct text *text, unsigned char value)
{
	text_number(text, value >> 4, 16);
	text_number(text, value & 0xf, 16);
}

const char *text_done(struct text *text)
{
	text->bytes[text->length] = '\0';
	return text->bytes;
}

void console_line(const char *message)
{
	struct text line;
	size_t done = 0;

	text_clear(&line);
	text_string(&line, "ptdiff: ");
	text_string(&line, message);
	line.bytes[line.length++] = '\n'; /* replaces the NUL when the line is full */
	while (done < line.length) {
		ssize_t written = write(STDOUT_FILENO, line.bytes + done, line.length - done);

		if (written <= 0)
			return; /* no console: the records in RAM are still there */
		done += (size_t)written;
	}
}
