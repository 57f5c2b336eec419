/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Small texts without stdio: musl's printf would pull in soft-float quad arithmetic and therefore
 * libgcc.
 */
#ifndef PTDIFF_TEXT_H
#define PTDIFF_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* A text under construction; text that does not fit is cut, and never written past the end. */
struct text {
	char bytes[4096];
	size_t length;
};

void text_clear(struct text *text);
void text_string(struct text *text, const char *string);
void text_decimal(struct text *text, uint64_t value);
void text_hex(struct text *text, uint64_t value);
/* Two hexadecimal digits. */
void text_byte(struct text *text, unsigned char value);

/* The text as a C string, valid until the text changes. */
const char *text_done(struct text *text);

/* Writes "ptdiff: " and the message as one line to the console. */
void console_line(const char *message);

#endif
