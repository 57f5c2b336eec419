/* SPDX-License-Identifier: GPL-2.0-only */
/* The file that is left: a POSIX ustar archive, compressed with gzip. */
#ifndef PTDIFF_ARCHIVE_H
#define PTDIFF_ARCHIVE_H

#include "buffer.h"

#define MAX_MEMBERS 24

struct member {
	const char *name;
	struct buffer content;
};

struct archive {
	struct member members[MAX_MEMBERS];
	size_t count;
	/* A file to copy as the last member `Image`, or NULL. */
	const char *image;
};

/* Appends a member that is to be filled; one that stays empty is left out of the file. */
struct buffer *archive_member(struct archive *archive, const char *name);

/* Ends the program where the file of the image is none that an archive may have. */
void archive_check_image(const char *path);

/* Writes to a path, which appears when all is in it, or to standard output for "-". */
void archive_write(const struct archive *archive, const char *path);

/* Lists the members, their sizes and what is in each, on standard output. */
void archive_list(const struct archive *archive);

/* Prints what each possible member contains: for --help. */
void archive_explain(void);

#endif
