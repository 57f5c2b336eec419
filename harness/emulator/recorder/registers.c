// SPDX-License-Identifier: GPL-2.0-only
/* The general registers of each CPU, as QEMU hands them out. */
#include <stdlib.h>
#include <string.h>

#include "recorder.h"

enum { SP = 31, SP_EL0, REGISTERS };

static struct qemu_plugin_register *handles[MAX_CPUS][REGISTERS];
static GByteArray *buffers[MAX_CPUS];

/* In the thread of the CPU, when it is made. */
void registers_find(unsigned int cpu)
{
	GArray *all = qemu_plugin_get_registers();
	const qemu_plugin_reg_descriptor *list = (void *)all->data;

	buffers[cpu] = g_byte_array_sized_new(16);
	for (unsigned int i = 0; i < all->len; i++) {
		const char *name = list[i].name;

		if (name[0] == 'x' && name[1] >= '0' && name[1] <= '9' && strlen(name) <= 3)
			handles[cpu][atoi(name + 1)] = list[i].handle;
		if (strcmp(name, "sp") == 0)
			handles[cpu][SP] = list[i].handle;
		if (strcmp(name, "SP_EL0") == 0)
			handles[cpu][SP_EL0] = list[i].handle;
	}
}

static uint64_t read_register(unsigned int cpu, unsigned int number)
{
	GByteArray *buffer = buffers[cpu];
	uint64_t value = 0;

	/* g_byte_array_set_size() would cost as much as the rest. */
	buffer->len = 0;
	if (qemu_plugin_read_register(handles[cpu][number], buffer) && buffer->len >= 8)
		memcpy(&value, buffer->data, 8);
	return value;
}

/* X31 is the zero register here. */
uint64_t read_x(unsigned int cpu, unsigned int number)
{
	return number == 31 ? 0 : read_register(cpu, number);
}

uint64_t read_sp(unsigned int cpu)
{
	return read_register(cpu, SP);
}

/*
 * The task that the kernel itself takes to be running (arch/arm64/include/asm/current.h); false
 * where QEMU does not show the register.
 */
bool read_current(unsigned int cpu, uint64_t *task)
{
	if (!handles[cpu][SP_EL0])
		return false;
	*task = read_register(cpu, SP_EL0);
	return true;
}
