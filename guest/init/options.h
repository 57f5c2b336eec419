/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PTDIFF_OPTIONS_H
#define PTDIFF_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* The options after "--" on the kernel command line. Lists are separated by commas. */
struct options {
	/* ptdiff.probes=a,b: the probes to run, in this order. */
	const char *probes;
	/*
	 * ptdiff.collect=a,b: what to send besides: kallsyms, board (board.h); with `past`, what
	 * churn.h has came and went before all else, and with `busy` it does while the board is
	 * collected.
	 */
	const char *collect;
	/* ptdiff.exercise=yes: once all is sent, run exercises.c, for a recording. */
	bool exercise;
	/*
	 * ptdiff.nonce=HEX: echoed in the directory. A harness sets it; init then does not print its
	 * summary.
	 */
	uint64_t nonce;
	bool harness;
	/* ptdiff.end=stay: wait forever instead of powering the machine off. */
	bool stay;
};

/*
 * Reads them from /proc/cmdline: a kernel that refuses a value of a module's parameter passes no
 * arguments to init at all (start_kernel() checks whether parse_args() found an error,
 * init/main.c).
 */
struct options options_read(void);

/*
 * The next name of a comma-separated list, copied to `name` and cut to fit; advances *list; false
 * at its end.
 */
bool list_next(const char **list, char *name, unsigned int name_size);

bool list_has(const char *list, const char *name);

#endif
