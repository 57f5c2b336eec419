// SPDX-License-Identifier: GPL-2.0-only
#include "symbols.h"

#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "vmcoreinfo.h"

#define TOKENS 256
/* No token and no name is longer. */
#define MAX_NAME SYMBOL_NAME_BYTES
#define MAX_SYMBOLS (UINT32_C(1) << 22)
#define MAX_NAMES_BYTES ((uint64_t)64 << 20)

static struct {
	uint32_t count;
	/* Lengths and tokens of all names, and where each begins. */
	unsigned char *names;
	size_t names_bytes;
	uint32_t *starts;
	char *tokens[TOKENS];
	uint64_t *addresses;
	uint32_t *hashes;
} table;

static uint32_t hash_of(const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	return hash;
}

static bool read_whole(struct memory *memory, uint64_t va, size_t bytes, void *result)
{
	void **to = result;

	*to = must_have(NULL, bytes + 1);
	return memory->read_virtual(memory, va, *to, bytes);
}

static bool read_tokens(struct memory *memory, uint64_t table_at, uint64_t index_at)
{
	uint16_t index[TOKENS];
	uint64_t bytes = index_at - table_at;
	char *text;

	if (index_at <= table_at || bytes > TOKENS * MAX_NAME)
		return false;
	if (!memory->read_virtual(memory, index_at, index, sizeof(index)) ||
	    !read_whole(memory, table_at, bytes, &text))
		return false;
	text[bytes] = '\0';
	for (size_t i = 0; i < TOKENS; i++) {
		if (index[i] >= bytes)
			return false;
		table.tokens[i] = text + index[i];
	}
	return true;
}

/*
 * A length of one byte, or of two (7 low bits first) for names of more than 127 tokens (6.1,
 * 73bbb94466fd). Returns the first token, or 0 beyond the end.
 */
static size_t name_tokens(size_t at, size_t *count)
{
	if (at + 2 > table.names_bytes)
		return 0;
	*count = table.names[at];
	if (!(*count & 0x80))
		return at + 1 + *count <= table.names_bytes ? at + 1 : 0;
	*count = (*count & 0x7f) | (size_t)table.names[at + 1] << 7;
	return at + 2 + *count <= table.names_bytes ? at + 2 : 0;
}

/* Without the letter of its type, which comes first. */
static void expand(size_t token, size_t count, char name[MAX_NAME])
{
	size_t length = 0;

	for (size_t i = 0; i < count; i++) {
		const char *from = table.tokens[table.names[token + i]];

		if (i == 0 && *from)
			from++;
		while (*from && length < MAX_NAME - 1)
			name[length++] = *from++;
	}
	name[length] = '\0';
}

static bool index_names(void)
{
	size_t at = 0;

	for (uint32_t i = 0; i < table.count; i++) {
		char name[MAX_NAME];
		size_t count;
		size_t token = name_tokens(at, &count);

		/* No name is empty. */
		if (token == 0 || count == 0)
			return false;
		expand(token, count, name);
		table.starts[i] = (uint32_t)at;
		table.hashes[i] = hash_of(name);
		at = token + count;
	}
	return true;
}

/*
 * Up to 6.19 an entry is the unsigned distance from kallsyms_relative_base; from 7.0 (a081b5789255)
 * it is the signed distance of the symbol from the entry itself.
 */
static bool read_addresses(struct memory *memory, uint64_t offsets_at)
{
	uint64_t base_at, base = 0;
	bool has_base = vmcoreinfo_find(memory, "SYMBOL(kallsyms_relative_base)", 16, &base_at);
	int32_t *offsets;

	if (has_base && !memory->read_virtual(memory, base_at, &base, sizeof(base)))
		return false;
	if (!read_whole(memory, offsets_at, (size_t)table.count * sizeof(*offsets), &offsets))
		return false;
	for (uint32_t i = 0; i < table.count; i++) {
		if (has_base)
			table.addresses[i] = base + (uint32_t)offsets[i];
		else
			table.addresses[i] = offsets_at + i * sizeof(*offsets) + (uint64_t)(int64_t)offsets[i];
		/* scripts/kallsyms.c sorts them: what does not ascend is no such table. */
		if (i > 0 && table.addresses[i] < table.addresses[i - 1])
			return false;
	}
	free(offsets);
	return true;
}

static bool read_tables(struct memory *memory, uint64_t names_at, uint64_t tokens_at)
{
	uint64_t index_at = vmcoreinfo_need(memory, "SYMBOL(kallsyms_token_index)", 16);
	uint64_t offsets_at = vmcoreinfo_need(memory, "SYMBOL(kallsyms_offsets)", 16);
	uint64_t count_at = vmcoreinfo_need(memory, "SYMBOL(kallsyms_num_syms)", 16);

	/* The order of the tables since 6.4 (404bad70fcf7): names, markers, tokens. */
	if (tokens_at <= names_at || tokens_at - names_at > MAX_NAMES_BYTES)
		return false;
	table.names_bytes = tokens_at - names_at;
	if (!memory->read_virtual(memory, count_at, &table.count, sizeof(table.count)))
		return false;
	if (table.count == 0 || table.count > MAX_SYMBOLS)
		return false;
	table.starts = must_have(NULL, (size_t)table.count * sizeof(*table.starts));
	table.hashes = must_have(NULL, (size_t)table.count * sizeof(*table.hashes));
	table.addresses = must_have(NULL, (size_t)table.count * sizeof(*table.addresses));
	return read_whole(memory, names_at, table.names_bytes, &table.names) &&
	       read_tokens(memory, tokens_at, index_at) && index_names() && read_addresses(memory, offsets_at);
}

bool symbols_open(struct memory *memory)
{
	uint64_t names_at, tokens_at;

	if (!vmcoreinfo_find(memory, "SYMBOL(kallsyms_names)", 16, &names_at) ||
	    !vmcoreinfo_find(memory, "SYMBOL(kallsyms_token_table)", 16, &tokens_at)) {
		lose("The kernel is built without CONFIG_KALLSYMS: its variables, memblock and CPUs cannot be found.");
		return false;
	}
	if (read_tables(memory, names_at, tokens_at))
		return true;
	table.count = 0;
	lose("The kernel's symbol table cannot be read from its memory: its variables, memblock and CPUs cannot be found.");
	return false;
}

static bool find(const char *name, uint32_t *index)
{
	uint32_t hash = hash_of(name);

	for (uint32_t i = 0; i < table.count; i++) {
		char found[MAX_NAME];
		size_t count, token;

		if (table.hashes[i] != hash)
			continue;
		token = name_tokens(table.starts[i], &count);
		expand(token, count, found);
		if (strcmp(found, name) == 0) {
			*index = i;
			return true;
		}
	}
	return false;
}

bool symbol_address(const char *name, uint64_t *address)
{
	uint32_t index;

	if (!find(name, &index))
		return false;
	*address = table.addresses[index];
	return true;
}

bool symbol_extent(const char *name, uint64_t *address, uint64_t *bytes)
{
	uint32_t index, next;

	if (!find(name, &index))
		return false;
	*address = table.addresses[index];
	for (next = index + 1; next < table.count; next++) {
		if (table.addresses[next] != *address) {
			*bytes = table.addresses[next] - *address;
			return true;
		}
	}
	return false;
}

bool symbol_at(uint64_t address, char name[SYMBOL_NAME_BYTES], uint64_t *offset, uint64_t *bytes)
{
	uint32_t low = 0, high = table.count, first;
	size_t count, token;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (table.addresses[middle] <= address)
			low = middle + 1;
		else
			high = middle;
	}
	/* The last symbol is _end or beyond it: nothing is in it. */
	if (low == 0 || low == table.count)
		return false;
	/* Of several at one address, the first. */
	for (first = low - 1; first > 0 && table.addresses[first - 1] == table.addresses[low - 1]; first--)
		;
	token = name_tokens(table.starts[first], &count);
	expand(token, count, name);
	*offset = address - table.addresses[first];
	*bytes = table.addresses[low] - table.addresses[first];
	return true;
}
