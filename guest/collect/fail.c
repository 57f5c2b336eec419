// SPDX-License-Identifier: GPL-2.0-only
#include "fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As many as the reader of an archive accepts. */
#define MAX_LOST 64
#define MAX_SENTENCE 400

const char *lost[MAX_LOST];
size_t lost_count;

void fail(const char *format, ...)
{
	va_list arguments;

	/* What is lost may be why. */
	for (size_t i = 0; i < lost_count; i++)
		fprintf(stderr, "collect: %s\n", lost[i]);
	fputs("collect: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

void lose(const char *format, ...)
{
	char sentence[MAX_SENTENCE];
	char *kept;
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	for (size_t i = 0; i < lost_count; i++) {
		if (strcmp(lost[i], sentence) == 0)
			return;
	}
	if (lost_count == MAX_LOST)
		return;
	kept = must_have(NULL, strlen(sentence) + 1);
	strcpy(kept, sentence);
	lost[lost_count++] = kept;
}

void *must_have(void *old, size_t bytes)
{
	void *memory = realloc(old, bytes);

	if (!memory)
		fail("This machine has no %zu bytes of free memory for what is to be collected: free some and try again.",
		     bytes);
	return memory;
}
