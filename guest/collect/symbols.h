/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The symbol table that the kernel carries for itself (kernel/kallsyms.c), read from its memory:
 * /proc/kallsyms hides addresses where kptr_restrict says so, and a dump has no such file.
 */
#ifndef PTDIFF_SYMBOLS_H
#define PTDIFF_SYMBOLS_H

#include "memory.h"

/* False, with the reason noted as lost, where the kernel has no table or it cannot be read. */
bool symbols_open(struct memory *memory);

/* Run address of a symbol; of the lowest one where several share the name. False: there is none. */
bool symbol_address(const char *name, uint64_t *address);

/* The address, and bytes to the next symbol at a higher address. */
bool symbol_extent(const char *name, uint64_t *address, uint64_t *bytes);

/* Room for the name of a symbol, its NUL included (KSYM_NAME_LEN). */
#define SYMBOL_NAME_BYTES 512

/* The symbol that an address is in, as %pS shows it; false where it is in none. */
bool symbol_at(uint64_t address, char name[SYMBOL_NAME_BYTES], uint64_t *offset, uint64_t *bytes);

#endif
