/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PTDIFF_FAIL_H
#define PTDIFF_FAIL_H

#include <stddef.h>

#define SAYS(text, first) __attribute__((format(printf, text, first)))

/*
 * Ends the program with one sentence: what, where, what to do; those of lose() come before it. Exit
 * code 1.
 */
_Noreturn void fail(const char *format, ...) SAYS(1, 2);

/*
 * Notes one sentence about what could not be had, and why; the archive lists them, and so does the
 * program at its end. The same sentence is kept once; after many, no more are.
 */
void lose(const char *format, ...) SAYS(1, 2);

/* The sentences of lose(), in order. */
extern const char *lost[];
extern size_t lost_count;

/* malloc() and realloc() that end the program where there is no memory. */
void *must_have(void *old, size_t bytes);

#endif
