// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file of events: mapped by QEMU, read by the harness. Its head counts the bytes that are
 * whole, so whoever reads while the machine is stopped sees all that happened.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "recorder.h"

struct header {
	uint64_t magic;
	uint64_t head; /* bytes of events */
	uint64_t full; /* 1: no more events were written, for want of space */
};

static const uint64_t magic = 0x3130636572647470; /* "ptdrec01" */
/* Events do not take more than this each, but for the content of tables, which asks itself. */
enum { HEADER = 4096, MOST = 256 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct header *header;
static uint8_t *events, *end;
static uint8_t *at;
/* Where events go that find no room. */
static uint8_t lost[2 * MOST];
static unsigned int last_cpu = ~0U;
static uint32_t sites;
uint64_t tlbis_written[MAX_CPUS];
static uint64_t last_pc, last_time;

/* Asked at every event: the coarse clock takes a quarter of the time, and is good to 4 ms. */
static uint64_t microseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return now.tv_sec * 1000000ULL + now.tv_nsec / 1000;
}

bool log_open(const char *path)
{
	struct stat status;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	void *map;

	if (fd < 0 || fstat(fd, &status) < 0)
		return false;
	map = mmap(NULL, status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return false;
	header = map;
	events = at = (uint8_t *)map + HEADER;
	end = (uint8_t *)map + status.st_size - MOST;
	last_time = microseconds();
	header->magic = magic;
	return true;
}

void lock(void)
{
	pthread_mutex_lock(&mutex);
}

void unlock(void)
{
	if (!header->full)
		__atomic_store_n(&header->head, at - events, __ATOMIC_RELEASE);
	pthread_mutex_unlock(&mutex);
}

void number(uint64_t value)
{
	if (at >= end) {
		header->full = 1;
		at = lost;
		end = lost + MOST;
	}
	while (value >= 0x80) {
		*at++ = value | 0x80;
		value >>= 7;
	}
	*at++ = value;
}

/* A value by what it differs from the last of its kind: most are close to it. */
void change(uint64_t *last, uint64_t value)
{
	int64_t by = value - *last;

	number((uint64_t)by << 1 ^ (uint64_t)(by >> 63));
	*last = value;
}

void event(enum event kind, unsigned int cpu)
{
	uint64_t now = microseconds();

	if (cpu != last_cpu) {
		number(EV_CPU);
		number(cpu);
		last_cpu = cpu;
	}
	if (now - last_time >= 1000) {
		number(EV_TIME);
		number(now - last_time);
		last_time = now;
	}
	number(kind);
	if (kind == EV_TLBI)
		tlbis_written[cpu]++;
}

void odd(enum odd why, unsigned int cpu)
{
	event(EV_ODD, cpu);
	number(why);
}

void event_at(enum event kind, unsigned int cpu, struct site *site)
{
	if (site->id == 0) {
		event(EV_SITE, cpu);
		change(&last_pc, site->pc);
		number(site->insn);
		site->id = ++sites;
	}
	event(kind, cpu);
	number(site->id);
}
