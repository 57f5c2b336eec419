// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "functions.h"

static struct function *functions;
static size_t function_count;

static int by_address(const void *left, const void *right)
{
	uint64_t a = ((const struct function *)left)->link_address;
	uint64_t b = ((const struct function *)right)->link_address;

	return a < b ? -1 : a > b;
}

/* Lines `ADDRESS ARGUMENTS RESULTS ROLE`; `0 0 stays` is a root that the kernel never frees. */
static bool read_functions(FILE *file)
{
	static const char *const roles[] = { "operation", "switch", "pgd_free" };
	unsigned long long address;
	unsigned int arguments, results;
	char role[16];

	while (fscanf(file, "%llx %u %u %15s", &address, &arguments, &results, role) == 4) {
		struct function *grown;
		unsigned int kind = 0;

		if (strcmp(role, "stays") == 0) {
			root_stays(address);
			continue;
		}
		while (kind < 3 && strcmp(role, roles[kind]) != 0)
			kind++;
		grown = realloc(functions, (function_count + 1) * sizeof(*functions));
		if (kind == 3 || arguments > MOST_ARGUMENTS || !grown)
			return false;
		functions = grown;
		functions[function_count] = (struct function){
			.link_address = address,
			.number = function_count,
			.arguments = arguments,
			.results = results,
			.role = kind,
		};
		function_count++;
	}
	qsort(functions, function_count, sizeof(*functions), by_address);
	return feof(file);
}

bool functions_open(const char *path)
{
	FILE *file = fopen(path, "re");
	bool good = file && read_functions(file);

	if (file)
		fclose(file);
	return good;
}

struct function *function_at(uint64_t link_address)
{
	const struct function key = { .link_address = link_address };

	return bsearch(&key, functions, function_count, sizeof(*functions), by_address);
}
