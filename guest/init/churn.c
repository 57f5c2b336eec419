// SPDX-License-Identifier: GPL-2.0-only
#include "churn.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "channel.h"
#include "exercises.h"
#include "faults.h"
#include "pagemap.h"

/* More than a block of 2 MiB: what the probe of memfd_secret gets later is but a part of it. */
#define PAST_PAGES 1024
#define BUSY_PAGES 32
/* Turns of secret memory for one of what waits for grace periods. */
#define SECRET_TURNS 32
/* The longest rest between two turns, in milliseconds: walks come to be between two, and across one. */
#define LONGEST_REST 8

static pid_t churning = -1;

void churn_secret(struct probe_result *result, size_t pages)
{
	int file;
	unsigned char *memory = secret_pages(result, pages, &file);

	for (size_t i = 0; i < pages && !result->error; i++) {
		if (fault_caught_writing(memory + i * page_bytes)) {
			errno = EFAULT;
			probe_failed(result, "touch");
		}
	}
	if (memory)
		munmap(memory, pages * page_bytes);
	if (file >= 0)
		close(file);
}

void churn_once(void)
{
	struct probe_result result = { .call = "ok" };

	churn_secret(&result, PAST_PAGES);
	if (!result.error)
		exercise_bpf(&result);
	if (result.error)
		channel_problem("churn", result.call, result.error);
}

static void run_on_last_cpu(void)
{
	cpu_set_t all;
	int cpu = CPU_SETSIZE - 1;

	if (sched_getaffinity(0, sizeof(all), &all))
		return;
	while (cpu >= 0 && !(CPU_ISSET(cpu, &all) && run_on(cpu)))
		cpu--;
}

/* Ends with the errno of what failed. */
static _Noreturn void churn_on(void)
{
	struct probe_result result = { .call = "ok" };

	run_on_last_cpu();
	for (unsigned int turn = 1; !result.error; turn++) {
		churn_secret(&result, BUSY_PAGES);
		usleep(turn % (LONGEST_REST + 1) * 1000);
		if (result.error || turn % SECRET_TURNS)
			continue;
		exercise_bpf(&result);
		if (!result.error && probe_modules_removable())
			probe_modules_again(&result);
	}
	_exit(result.error);
}

void churn_begin(void)
{
	churning = fork();
	if (churning == 0)
		churn_on();
	if (churning < 0)
		channel_problem("churn", "fork", errno);
}

void churn_end(void)
{
	int status = 0;

	if (churning < 0)
		return;
	kill(churning, SIGKILL);
	if (waitpid(churning, &status, 0) == churning && WIFEXITED(status))
		channel_problem("churn", "ended before its time", WEXITSTATUS(status));
	churning = -1;
}
