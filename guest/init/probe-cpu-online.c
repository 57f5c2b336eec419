// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "probes.h"
#include "text.h"

/* The limit of the monitor and the harness (guest/monitor/parameters.h). */
#define MOST_CPUS 8

static int write_online(unsigned int cpu, const char *value, const char **call)
{
	struct text path;
	int file;
	int error = 0;

	text_clear(&path);
	text_string(&path, "/sys/devices/system/cpu/cpu");
	text_decimal(&path, cpu);
	text_string(&path, "/online");
	*call = "open";
	file = open(text_done(&path), O_WRONLY | O_CLOEXEC);
	if (file < 0)
		return errno;
	*call = "write";
	if (write(file, value, 1) < 0)
		error = errno;
	close(file);
	return error;
}

/*
 * Writes each value for every CPU after the first, one CPU after the other. If one CPU refuses, the
 * others are tried all the same.
 */
static void each_cpu(struct probe_result *result, const char *values)
{
	for (unsigned int cpu = 1; cpu < MOST_CPUS; cpu++) {
		for (const char *value = values; *value; value++) {
			const char *call;
			int error = write_online(cpu, value, &call);

			if (error == ENOENT && cpu > 1)
				return;
			if (error && !result->error) {
				result->call = call;
				result->error = error;
			}
		}
	}
}

/* A CPU that is already online is not an error. */
void probe_cpu_online(struct probe_result *result)
{
	each_cpu(result, "1");
}

void probe_cpu_hotplug(struct probe_result *result)
{
	each_cpu(result, "01");
}
