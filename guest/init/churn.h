/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What makes a live kernel change its linear map, for a guest that plays a board: secret memory and
 * programs of BPF come and go, and so does a module where one can be removed.
 */
#ifndef PTDIFF_CHURN_H
#define PTDIFF_CHURN_H

#include <stddef.h>

#include "probes.h"

/* Pages of secret memory, each of which is touched, and given back (mm/secretmem.c). */
void churn_secret(struct probe_result *result, size_t pages);

/* Secret memory and a program, once; what cannot be done is a problem that is sent. */
void churn_once(void);

/* All of it over and over, in a process of its own on the last CPU, until churn_end(). */
void churn_begin(void);
void churn_end(void);

#endif
