// SPDX-License-Identifier: GPL-2.0-only
/* A flattened device tree, version 17 of the devicetree specification. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"

#define BEGIN_NODE 1
#define PROPERTY 3
#define HEADER_WORDS 10
#define ROOM 4096

/* Words of the header. */
enum {
	MAGIC_WORD,
	TOTAL,
	STRUCTURE,
	STRINGS,
	RESERVED,
	VERSION,
	COMPATIBLE,
	BOOT_CPU,
	STRINGS_BYTES,
	STRUCTURE_BYTES
};

/* A part of a tree that grows. */
struct part {
	unsigned char at[ROOM];
	size_t length;
};

static uint32_t word_at(const unsigned char *at)
{
	uint32_t word;

	memcpy(&word, at, sizeof(word));
	return ntohl(word);
}

static size_t padded(size_t bytes)
{
	return (bytes + 3) / 4 * 4;
}

static void put(struct part *part, const void *bytes, size_t length)
{
	memcpy(part->at + part->length, bytes, length);
	part->length += padded(length);
}

static void put_word(struct part *part, uint32_t word)
{
	word = htonl(word);
	put(part, &word, sizeof(word));
}

static void put_property(struct part *properties, struct part *names, size_t names_before, const char *name,
			 const void *value, size_t length)
{
	put_word(properties, PROPERTY);
	put_word(properties, (uint32_t)length);
	put_word(properties, (uint32_t)(names_before + names->length));
	put(properties, value, length);
	memcpy(names->at + names->length, name, strlen(name) + 1);
	names->length += strlen(name) + 1;
}

static uint64_t big_endian(uint64_t value)
{
	return (uint64_t)htonl((uint32_t)value) << 32 | htonl((uint32_t)(value >> 32));
}

static void put_range(struct part *properties, struct part *names, size_t names_before, const char *name,
		      struct range range)
{
	uint64_t cells[2] = { big_endian(range.start), big_endian(range.end - range.start) };

	put_property(properties, names, names_before, name, cells, sizeof(cells));
}

/* Offset of the first property of /chosen in the structure. */
static size_t inside_chosen(const unsigned char *structure, size_t length)
{
	size_t at = 0;

	while (at + 8 <= length) {
		uint32_t token = word_at(structure + at);
		const char *name = (const char *)structure + at + 4;

		if (token == BEGIN_NODE) {
			at += 4 + padded(strlen(name) + 1);
			if (!strcmp(name, "chosen"))
				return at;
		} else if (token == PROPERTY) {
			at += 12 + padded(word_at(structure + at + 4));
		} else {
			at += 4;
		}
	}
	give_up("the device tree has no /chosen");
}

/* The first of two properties of one name counts (fdt_getprop()): those of before come second. */
static void add_chosen(const struct chosen *chosen, struct part *properties, struct part *names, size_t before)
{
	uint64_t initrd_start = big_endian(chosen->initrd.start);
	uint64_t initrd_end = big_endian(chosen->initrd.end);

	put_property(properties, names, before, "bootargs", chosen->command_line,
		     strlen(chosen->command_line) + 1);
	put_property(properties, names, before, "linux,initrd-start", &initrd_start, 8);
	put_property(properties, names, before, "linux,initrd-end", &initrd_end, 8);
	put_range(properties, names, before, "linux,elfcorehdr", chosen->core_headers);
	put_range(properties, names, before, "linux,usable-memory-range", chosen->usable);
}

struct bytes crash_tree(const struct chosen *chosen)
{
	struct bytes old = read_whole("/sys/firmware/fdt");
	const unsigned char *structure = old.at + word_at(old.at + STRUCTURE * 4);
	const unsigned char *strings = old.at + word_at(old.at + STRINGS * 4);
	size_t structure_bytes = word_at(old.at + STRUCTURE_BYTES * 4);
	size_t strings_bytes = word_at(old.at + STRINGS_BYTES * 4);
	size_t at = inside_chosen(structure, structure_bytes);
	static struct part properties, names;
	/* Before the structure: the header, and an empty list of reserved memory. */
	size_t start = HEADER_WORDS * 4 + 16;
	uint32_t header[HEADER_WORDS];

	add_chosen(chosen, &properties, &names, strings_bytes);
	size_t names_at = start + structure_bytes + properties.length;
	struct bytes made = { NULL, names_at + strings_bytes + names.length };

	made.at = calloc(1, made.length);
	if (!made.at)
		give_up("memory");
	memcpy(header, old.at, sizeof(header));
	header[TOTAL] = htonl((uint32_t)made.length);
	header[STRUCTURE] = htonl((uint32_t)start);
	header[STRINGS] = htonl((uint32_t)names_at);
	header[RESERVED] = htonl(HEADER_WORDS * 4);
	header[STRINGS_BYTES] = htonl((uint32_t)(strings_bytes + names.length));
	header[STRUCTURE_BYTES] = htonl((uint32_t)(structure_bytes + properties.length));
	memcpy(made.at, header, sizeof(header));
	memcpy(made.at + start, structure, at);
	memcpy(made.at + start + at, properties.at, properties.length);
	memcpy(made.at + start + at + properties.length, structure + at, structure_bytes - at);
	memcpy(made.at + names_at, strings, strings_bytes);
	memcpy(made.at + names_at + strings_bytes, names.at, names.length);
	return made;
}
