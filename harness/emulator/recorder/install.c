// SPDX-License-Identifier: GPL-2.0-only
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recorder.h"

EXPORT int qemu_plugin_version = QEMU_API_VERSION;
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv);

struct setting setting;
uint64_t slide;
bool slide_known;

static pthread_t threads[MAX_CPUS];

/* On standard error, where the harness reads QEMU's own complaints. */
void complain(const char *what)
{
	fprintf(stderr, "recorder: %s\n", what);
}

/* With one thread for several CPUs, QEMU tells of the wrong CPU. */
static void cpu_made(unsigned int cpu, void *unused)
{
	(void)unused;
	if (cpu >= MAX_CPUS) {
		complain("too many CPUs");
		exit(1);
	}
	threads[cpu] = pthread_self();
	for (unsigned int i = 0; i < cpu; i++) {
		if (threads[i] && pthread_equal(threads[i], threads[cpu])) {
			complain("CPUs share a thread: start QEMU with -accel tcg,thread=multi");
			exit(1);
		}
	}
	registers_find(cpu);
}

struct argument {
	const char *name;
	uint64_t *value;
};

static bool take(char *argument)
{
	static uint64_t reg;
	const struct argument numbers[] = {
		{ "ram_base", &setting.ram_base },	   { "ram_size", &setting.ram_size },
		{ "skip_start", &setting.skip_start },	   { "skip_end", &setting.skip_end },
		{ "anchor_pa", &setting.anchor_pa },	   { "anchor_target", &setting.anchor_target },
		{ "anchor_register", &reg },		   { "image_pa", &setting.image_pa },
		{ "image_start", &setting.image_start },   { "image_end", &setting.image_end },
		{ "page_end", &setting.page_end },	   { "windows_start", &setting.windows_start },
	};
	char *value = strchr(argument, '=');

	if (!value)
		return false;
	*value++ = '\0';
	if (strcmp(argument, "out") == 0)
		setting.out = value;
	else if (strcmp(argument, "functions") == 0)
		setting.functions = value;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		if (strcmp(argument, numbers[i].name) == 0)
			*numbers[i].value = strtoull(value, NULL, 0);
	setting.anchor_register = reg;
	return true;
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
	if (strcmp(info->target_name, "aarch64") != 0 || !info->system_emulation) {
		complain("only for qemu-system-aarch64");
		return -1;
	}
	for (int i = 0; i < argc; i++)
		if (!take(argv[i])) {
			complain("an argument has no value");
			return -1;
		}
	if (!setting.out || !setting.functions || !setting.ram_size || !log_open(setting.out) ||
	    !tables_open() || !operations_open() || !translate_open()) {
		complain("cannot open its files");
		return -1;
	}
	qemu_plugin_register_vcpu_init_cb(id, cpu_made, NULL);
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate, NULL);
	qemu_plugin_register_vcpu_discon_cb(id, DISCON_INTERRUPT | DISCON_EXCEPTION,
					    operations_interrupted, NULL);
	return 0;
}
