/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PTDIFF_EXERCISES_H
#define PTDIFF_EXERCISES_H

#include <stdbool.h>

#include "probes.h"

/* Runs them all, and sends a record for each. */
void exercises_run(void);

/* From now on on this CPU alone; false where it is offline. */
bool run_on(int cpu);

/* Loads a program that returns 0, and frees it; the kernel does the latter after grace periods. */
void exercise_bpf(struct probe_result *result);

#endif
