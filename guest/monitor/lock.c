// SPDX-License-Identifier: GPL-2.0-only
/*
 * One lock for everything that CPUs share: the tables, the RIPAS and the report. Calls are rare and
 * short. With the MMU off, EL2's accesses are Device memory, where exclusives work on QEMU but are
 * not guaranteed by the architecture.
 */
#include "monitor.h"

static u32 held;

void lock(void)
{
	u32 seen, failed;

	__asm__ volatile("1: ldaxr %w0, [%2]\n"
			 "   cbnz %w0, 1b\n"
			 "   stxr %w1, %w3, [%2]\n"
			 "   cbnz %w1, 1b\n"
			 : "=&r"(seen), "=&r"(failed)
			 : "r"(&held), "r"(1)
			 : "memory");
}

void unlock(void)
{
	__asm__ volatile("stlr wzr, [%0]" ::"r"(&held) : "memory");
}
