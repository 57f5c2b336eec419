/* SPDX-License-Identifier: GPL-2.0-only */
/* The types that the kernel carries for itself (Documentation/bpf/btf.rst), from its memory. */
#ifndef PTDIFF_BTF_H
#define PTDIFF_BTF_H

#include "memory.h"

/* False, with the reason noted as lost, where the kernel has none. Needs symbols_open(). */
bool btf_open(struct memory *memory);

/* What is called for each named member of a structure, with its offset in bytes. */
typedef void (*btf_member)(void *context, const char *name, uint32_t offset);

/* Calls `member` for each named member of a structure that is no bit field; false: no such one. */
bool btf_members(const char *structure, btf_member member, void *context);

/* Offset in bytes of a direct member of a structure; false where there is none. */
bool btf_offset(const char *structure, const char *member, uint32_t *offset);

/* Bytes of a structure; false where there is none of that name. */
bool btf_size(const char *structure, uint32_t *bytes);

#endif
