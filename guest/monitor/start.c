// SPDX-License-Identifier: GPL-2.0-only
/* From the first instruction in RAM to the first one of the guest. */
#include "monitor.h"

extern char stacks[];

_Noreturn void start_primary(u32 cpu);
_Noreturn void start_secondary(u32 cpu);

static void begin_report(void)
{
	struct report *r = report();

	memset(r, 0, sizeof(*r));
	r->magic = REPORT_MAGIC;
	r->version = REPORT_VERSION;
	r->world = parameters.world;
	r->state = STATE_RUNNING;
}

static void check_parameters(void)
{
	const struct parameters *p = &parameters;

	if (p->version != PARAMETERS_VERSION || p->size != sizeof(*p))
		panic("parameter block of another version", p->version);
	if (p->world > WORLD_REALM)
		panic("no such world", p->world);
	if (p->cpus == 0 || p->cpus > MAX_CPUS)
		panic("number of CPUs out of range", p->cpus);
	if (p->regions == 0 || p->regions > MAX_REGIONS)
		panic("number of RAM regions out of range", p->regions);
	if (p->described == 0 || p->described > MAX_REGIONS)
		panic("number of described ranges out of range", p->described);
	if (p->overrides > MAX_OVERRIDES || p->destroyed > MAX_DESTROYED)
		panic("too many overrides or destroyed ranges", p->overrides);
	if (p->root_base != 0 && p->world != WORLD_REALM)
		panic("behind EL3 there is the realm world only", p->world);
	if (p->monitor_base != (u64)monitor_start || p->monitor_base % BLOCK != 0)
		panic("the monitor's base is not a multiple of 2 MiB", p->monitor_base);
}

_Noreturn static void enter(u32 cpu)
{
	u64 entry;
	u64 argument = boot_argument(cpu, &entry);

	prepare_cpu(cpu);
	enter_guest(entry, argument, (u64)stacks + (cpu + 1) * STACK_SIZE);
}

_Noreturn void start_primary(u32 cpu)
{
	begin_report();
	check_parameters();
	measurement_init();
	stage2_init();
	enter(cpu);
}

_Noreturn void start_secondary(u32 cpu)
{
	enter(cpu);
}
