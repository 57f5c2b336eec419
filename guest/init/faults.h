/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A fatal signal to PID 1 is a kernel panic and would look like the kernel's fault, so all of them
 * are caught.
 */
#ifndef PTDIFF_FAULTS_H
#define PTDIFF_FAULTS_H

#include <stdbool.h>

/*
 * Installs the handlers; `last_words` is called for a fault that no probe expects, and must not
 * return.
 */
void faults_catch(void (*last_words)(int signal));

/* Writes one byte; true when that raised SIGBUS or SIGSEGV. */
bool fault_caught_writing(volatile unsigned char *address);

#endif
