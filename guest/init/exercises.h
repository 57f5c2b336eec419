/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PTDIFF_EXERCISES_H
#define PTDIFF_EXERCISES_H

#include "probes.h"

/* Runs them all, and sends a record for each. */
void exercises_run(void);

#endif
