// SPDX-License-Identifier: GPL-2.0-only
#include "vmcoreinfo.h"

#include <stdlib.h>
#include <string.h>

#include "fail.h"

/* Longer than any number. */
#define MAX_VALUE 32

static const char *value_of(const struct memory *memory, const char *key, const char **end)
{
	const char *at = memory->vmcoreinfo;
	const char *beyond = at + memory->vmcoreinfo_length;
	size_t length = strlen(key);

	while (at && at < beyond) {
		const char *line_end = memchr(at, '\n', (size_t)(beyond - at));

		if (!line_end)
			line_end = beyond;
		if ((size_t)(line_end - at) > length && memcmp(at, key, length) == 0 && at[length] == '=') {
			*end = line_end;
			return at + length + 1;
		}
		at = line_end + 1;
	}
	return NULL;
}

bool vmcoreinfo_find(const struct memory *memory, const char *key, int base, uint64_t *value)
{
	char text[MAX_VALUE + 1];
	char *rest;
	const char *end;
	const char *found = value_of(memory, key, &end);
	size_t length = found ? (size_t)(end - found) : 0;

	if (length == 0 || length > MAX_VALUE)
		return false;
	memcpy(text, found, length);
	text[length] = '\0';
	/* A negative one is its own 64 bits. */
	*value = strtoull(text, &rest, base);
	return *rest == '\0';
}

uint64_t vmcoreinfo_need(const struct memory *memory, const char *key, int base)
{
	uint64_t value;

	if (!vmcoreinfo_find(memory, key, base, &value))
		fail("The kernel's VMCOREINFO has no %s: collect reads arm64 kernels since Linux 6.12 that are built with CONFIG_VMCORE_INFO.",
		     key);
	return value;
}
