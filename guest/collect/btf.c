// SPDX-License-Identifier: GPL-2.0-only
#include "btf.h"

#include <string.h>

#include "fail.h"
#include "symbols.h"

/* include/uapi/linux/btf.h, as far as it is needed here; musl has no such header. */
#define BTF_MAGIC 0xeb9f
#define MAX_BTF_BYTES ((uint64_t)128 << 20)

struct btf_header {
	uint16_t magic;
	uint8_t version;
	uint8_t flags;
	uint32_t header_bytes;
	uint32_t types;
	uint32_t types_bytes;
	uint32_t strings;
	uint32_t strings_bytes;
};

struct btf_type {
	uint32_t name;
	uint32_t info;
	uint32_t size;
};

struct btf_field {
	uint32_t name;
	uint32_t type;
	uint32_t offset;
};

enum { KIND_INT = 1, KIND_ARRAY = 3, KIND_STRUCT = 4, KIND_UNION = 5, KIND_ENUM = 6, KIND_FUNC_PROTO = 13,
       KIND_VAR = 14, KIND_DATASEC = 15, KIND_DECL_TAG = 17, KIND_ENUM64 = 19, KIND_MAX = 19 };

static unsigned char *types;
static size_t types_bytes;
static const char *strings;
static size_t strings_bytes;

bool btf_open(struct memory *memory)
{
	uint64_t start, end;
	struct btf_header header;
	unsigned char *all;

	if (!symbol_address("__start_BTF", &start) || !symbol_address("__stop_BTF", &end)) {
		lose("The kernel is built without CONFIG_DEBUG_INFO_BTF: the ID registers of its CPUs and its secret pages cannot be found.");
		return false;
	}
	if (end <= start + sizeof(header) || end - start > MAX_BTF_BYTES)
		goto damaged;
	all = must_have(NULL, end - start);
	if (!memory->read_virtual(memory, start, all, end - start))
		goto damaged;
	memcpy(&header, all, sizeof(header));
	if (header.magic != BTF_MAGIC ||
	    (uint64_t)header.header_bytes + header.types + header.types_bytes > end - start ||
	    (uint64_t)header.header_bytes + header.strings + header.strings_bytes > end - start ||
	    header.strings_bytes == 0)
		goto damaged;
	types = all + header.header_bytes + header.types;
	types_bytes = header.types_bytes;
	strings = (const char *)all + header.header_bytes + header.strings;
	strings_bytes = header.strings_bytes;
	if (strings[strings_bytes - 1] == '\0')
		return true;
damaged:
	types_bytes = 0;
	lose("The kernel's BTF cannot be read from its memory: the ID registers of its CPUs and its secret pages cannot be found.");
	return false;
}

static const char *string_at(uint32_t offset)
{
	return offset < strings_bytes ? strings + offset : "";
}

/* Bytes that follow struct btf_type; SIZE_MAX for a kind that is not known. */
static size_t more_bytes(uint32_t kind, uint32_t count)
{
	switch (kind) {
	case KIND_INT:
	case KIND_VAR:
	case KIND_DECL_TAG:
		return 4;
	case KIND_ARRAY:
		return 12;
	case KIND_STRUCT:
	case KIND_UNION:
	case KIND_DATASEC:
	case KIND_ENUM64:
		return (size_t)count * 12;
	case KIND_ENUM:
	case KIND_FUNC_PROTO:
		return (size_t)count * 8;
	default:
		return kind <= KIND_MAX ? 0 : SIZE_MAX;
	}
}

static uint32_t field_count(const struct btf_type *type)
{
	return type->info & 0xffffff;
}

/* A structure, and its fields in `fields`; false where there is no such one. */
static bool structure_named(const char *name, struct btf_type *type, const unsigned char **fields)
{
	size_t at = 0;

	while (at + sizeof(struct btf_type) <= types_bytes) {
		uint32_t kind;
		size_t more;

		memcpy(type, types + at, sizeof(*type));
		/* Up to 7.1 kinds and counts had fewer bits, of which the others were 0. */
		kind = type->info >> 24 & 0x7f;
		at += sizeof(*type);
		more = more_bytes(kind, field_count(type));
		if (more > types_bytes - at)
			return false;
		*fields = types + at;
		if (kind == KIND_STRUCT && strcmp(string_at(type->name), name) == 0)
			return true;
		at += more;
	}
	return false;
}

bool btf_members(const char *structure, btf_member member, void *context)
{
	struct btf_type type;
	const unsigned char *fields;

	if (!structure_named(structure, &type, &fields))
		return false;
	for (uint32_t i = 0; i < field_count(&type); i++) {
		struct btf_field field;
		uint32_t bits;

		memcpy(&field, fields + i * sizeof(field), sizeof(field));
		bits = type.info >> 31 ? field.offset & 0xffffff : field.offset;
		if (*string_at(field.name) && bits % 8 == 0)
			member(context, string_at(field.name), bits / 8);
	}
	return true;
}

struct sought {
	const char *name;
	uint32_t offset;
	bool found;
};

static void seek(void *context, const char *name, uint32_t offset)
{
	struct sought *sought = context;

	if (!sought->found && strcmp(name, sought->name) == 0) {
		sought->found = true;
		sought->offset = offset;
	}
}

bool btf_offset(const char *structure, const char *member, uint32_t *offset)
{
	struct sought sought = { .name = member };

	if (!btf_members(structure, seek, &sought) || !sought.found)
		return false;
	*offset = sought.offset;
	return true;
}

bool btf_size(const char *structure, uint32_t *bytes)
{
	struct btf_type type;
	const unsigned char *fields;

	if (!structure_named(structure, &type, &fields))
		return false;
	*bytes = type.size;
	return true;
}
