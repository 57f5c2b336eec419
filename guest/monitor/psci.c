// SPDX-License-Identifier: GPL-2.0-only
/*
 * PSCI (DEN0022): the level below the monitor knows which CPUs are on, but a CPU that is turned on
 * enters through the monitor.
 */
#include "monitor.h"
#include "smccc.h"

enum power { OFF, PENDING, ON };

static struct {
	u64 entry;
	u64 context;
	enum power power;
} cpus[MAX_CPUS];

/* Where a CPU enters the guest, and the value of its x0; from now on it counts as on. */
u64 boot_argument(u32 cpu, u64 *entry)
{
	u64 argument;

	lock();
	if (cpus[cpu].power == OFF) {
		/* Nothing turned this one on: it is the boot CPU. */
		cpus[cpu].entry = parameters.image_entry;
		cpus[cpu].context = parameters.device_tree;
	}
	cpus[cpu].power = ON;
	report()->cpus_entered |= 1U << cpu;
	*entry = cpus[cpu].entry;
	argument = cpus[cpu].context;
	unlock();
	return argument;
}

static u64 turn_on(u64 target, u64 entry, u64 context)
{
	bool is_ram;

	if (target >= parameters.cpus)
		return INVALID_PARAMETERS;
	ram_run(entry, entry + 1, &is_ram);
	if (!is_ram)
		return INVALID_ADDRESS;
	if (cpus[target].power != OFF)
		return cpus[target].power == ON ? ALREADY_ON : ON_PENDING;
	cpus[target].entry = entry;
	cpus[target].context = context;
	cpus[target].power = PENDING;

	u64 result = forward_smc(PSCI_CPU_ON64, target, (u64)secondary_entry, 0);

	if (result != SUCCESS)
		cpus[target].power = OFF;
	return result;
}

/* Returns only if the CPU could not be turned off. A CPU that is gone must not keep the lock. */
static u64 turn_off(void)
{
	cpus[this_cpu()].power = OFF;
	unlock();

	u64 result = forward_smc(PSCI_CPU_OFF, 0, 0, 0);

	lock();
	cpus[this_cpu()].power = ON;
	return result;
}

/* Waits for an interrupt; other CPUs must not wait for the lock meanwhile. */
static u64 suspend(u64 function, const u64 *x)
{
	unlock();

	u64 result = forward_smc(function, x[1], x[2], x[3]);

	lock();
	return result;
}

static u64 features(u64 function)
{
	switch (function) {
	case SMCCC_VERSION:
	case PSCI_VERSION:
	case PSCI_CPU_SUSPEND32:
	case PSCI_CPU_SUSPEND64:
	case PSCI_CPU_OFF:
	case PSCI_CPU_ON32:
	case PSCI_CPU_ON64:
	case PSCI_AFFINITY_INFO32:
	case PSCI_AFFINITY_INFO64:
	case PSCI_MIGRATE_INFO_TYPE:
	case PSCI_SYSTEM_OFF:
	case PSCI_SYSTEM_RESET:
	case PSCI_FEATURES:
		return SUCCESS;
	default:
		return NOT_SUPPORTED;
	}
}

static u64 arch_features(u64 function)
{
	return function == SMCCC_VERSION || function == SMCCC_ARCH_FEATURES ? SUCCESS : NOT_SUPPORTED;
}

static u64 answer(u64 function, const u64 *x)
{
	switch (function) {
	case SMCCC_VERSION:
		return SMCCC_1_2;
	case SMCCC_ARCH_FEATURES:
		return arch_features(x[1] & 0xffffffff);
	case PSCI_CPU_ON32:
	case PSCI_CPU_ON64:
		return turn_on(x[1], x[2], x[3]);
	case PSCI_CPU_OFF:
		return turn_off();
	case PSCI_FEATURES:
		return features(x[1] & 0xffffffff);
	case PSCI_CPU_SUSPEND32:
	case PSCI_CPU_SUSPEND64:
		return suspend(function, x);
	default:
		return forward_smc(function, x[1], x[2], x[3]);
	}
}

/* SMC32 has its arguments in the lower halves of the registers. */
static bool is_smc64(u64 function)
{
	return (function >> 30 & 1) != 0;
}

static bool ends_the_cpu(u64 function)
{
	return function == PSCI_CPU_OFF || function == PSCI_SYSTEM_OFF || function == PSCI_SYSTEM_RESET;
}

/* Returns whether the call belongs to PSCI or SMCCC. Called with the lock held. */
bool psci_call(struct frame *frame)
{
	u64 function = frame->x[0] & 0xffffffff;
	u64 x[4];

	if (function != SMCCC_ARCH_FEATURES && features(function) != SUCCESS)
		return false;
	report()->psci_calls++;
	/*
	 * After the call there is nothing left to record it, unless the call fails: then it is recorded
	 * twice.
	 */
	if (ends_the_cpu(function))
		record_call(frame, frame);
	for (u32 i = 0; i < 4; i++)
		x[i] = frame->x[i] & (is_smc64(function) ? -1UL : 0xffffffff);
	frame->x[0] = answer(function, x);
	return true;
}
