/* SPDX-License-Identifier: GPL-2.0-only */
/* The file of a dump, which nobody vouches for. */
#ifndef PTDIFF_DUMP_FILE_H
#define PTDIFF_DUMP_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dump_file;

/* Ends the program with one sentence where the file cannot be opened. */
struct dump_file *dump_file_open(const char *path);
void dump_file_close(struct dump_file *file);

/* All bytes at an offset; false where the file has fewer. */
bool dump_file_read(struct dump_file *file, uint64_t offset, void *to, size_t bytes);

/* The same into new memory; ends the program with one sentence that says what the file lacks. */
void *dump_file_piece(struct dump_file *file, uint64_t offset, uint64_t bytes, const char *what);

const char *dump_file_path(const struct dump_file *file);

#endif
