#include "options.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const char *value_of(const char *argument, const char *name)
{
	size_t length = strlen(name);

	return strncmp(argument, name, length) == 0 && argument[length] == '=' ? argument + length + 1 : NULL;
}

struct options options_read(int count, char **arguments)
{
	struct options options = { .probes = "", .collect = "" };

	for (int i = 1; i < count; i++) {
		const char *value;

		if ((value = value_of(arguments[i], "ptdiff.probes"))) {
			options.probes = value;
		} else if ((value = value_of(arguments[i], "ptdiff.collect"))) {
			options.collect = value;
		} else if ((value = value_of(arguments[i], "ptdiff.nonce"))) {
			options.nonce = strtoull(value, NULL, 16);
			options.harness = true;
		} else if ((value = value_of(arguments[i], "ptdiff.end"))) {
			options.stay = strcmp(value, "stay") == 0;
		}
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
