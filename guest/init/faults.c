// SPDX-License-Identifier: GPL-2.0-only
#include "faults.h"

#include <setjmp.h>
#include <signal.h>
#include <stddef.h>

static void (*end_with_last_words)(int signal);
static sigjmp_buf awaited;
static volatile sig_atomic_t awaiting;

static void on_fault(int signal)
{
	if (awaiting)
		siglongjmp(awaited, signal);
	end_with_last_words(signal);
}

void faults_catch(void (*last_words)(int signal))
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGSYS, SIGTRAP, SIGABRT };
	struct sigaction action = { .sa_handler = on_fault, .sa_flags = SA_NODEFER };

	end_with_last_words = last_words;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
}

bool fault_caught_writing(volatile unsigned char *address)
{
	bool faulted = true;

	if (sigsetjmp(awaited, 1) == 0) {
		awaiting = 1;
		*address = 0xa5;
		faulted = false;
	}
	awaiting = 0;
	return faulted;
}
