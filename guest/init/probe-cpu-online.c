#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "probes.h"
#include "text.h"

/* The monitor and the harness know so many (guest/monitor/parameters.h). */
#define MOST_CPUS 8

static int bring_up(unsigned int cpu, const char **call)
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
	if (write(file, "1", 1) < 0)
		error = errno;
	close(file);
	return error;
}

/* Asks for every CPU after the first; one that is online already is no error. A CPU that is refused does not keep the others out. */
void probe_cpu_online(struct probe_result *result)
{
	for (unsigned int cpu = 1; cpu < MOST_CPUS; cpu++) {
		const char *call;
		int error = bring_up(cpu, &call);

		if (error == ENOENT && cpu > 1)
			break;
		if (error && !result->error) {
			result->call = call;
			result->error = error;
		}
	}
}
