// SPDX-License-Identifier: GPL-2.0-only
#include "options.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *value_of(const char *argument, const char *name)
{
	size_t length = strlen(name);

	return strncmp(argument, name, length) == 0 && argument[length] == '=' ? argument + length + 1 : NULL;
}

static void set_option(struct options *options, const char *word)
{
	const char *value;

	if ((value = value_of(word, "ptdiff.probes"))) {
		options->probes = value;
	} else if ((value = value_of(word, "ptdiff.collect"))) {
		options->collect = value;
	} else if ((value = value_of(word, "ptdiff.exercise"))) {
		options->exercise = strcmp(value, "yes") == 0;
	} else if ((value = value_of(word, "ptdiff.nonce"))) {
		options->nonce = strtoull(value, NULL, 16);
		options->harness = true;
	} else if ((value = value_of(word, "ptdiff.end"))) {
		options->stay = strcmp(value, "stay") == 0;
	}
}

struct options options_read(void)
{
	/* COMMAND_LINE_SIZE is 2048 (arch/arm64/include/uapi/asm/setup.h). */
	static char line[4096];
	struct options options = { .probes = "", .collect = "" };
	int file = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t length = file < 0 ? -1 : read(file, line, sizeof(line) - 1);
	bool behind = false;

	if (file >= 0)
		close(file);
	line[length > 0 ? length : 0] = '\0';
	for (char *word = strtok(line, " \n"); word; word = strtok(NULL, " \n")) {
		if (behind)
			set_option(&options, word);
		else
			behind = strcmp(word, "--") == 0;
	}
	return options;
}

bool list_next(const char **list, char *name, unsigned int name_size)
{
	size_t length;

	while (**list == ',')
		(*list)++;
	length = strcspn(*list, ",");
	if (!length)
		return false;
	if (length >= name_size) {
		memcpy(name, *list, name_size - 1);
		name[name_size - 1] = '\0';
	} else {
		memcpy(name, *list, length);
		name[length] = '\0';
	}
	*list += length;
	return true;
}

bool list_has(const char *list, const char *name)
{
	char each[64];

	while (list_next(&list, each, sizeof(each))) {
		if (strcmp(each, name) == 0)
			return true;
	}
	return false;
}
