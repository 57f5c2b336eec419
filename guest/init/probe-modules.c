// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "options.h"
#include "probes.h"
#include "text.h"

/* include/uapi/linux/module.h */
#define MODULE_INIT_COMPRESSED_FILE 4

/* include/uapi/linux/membarrier.h */
#define MEMBARRIER_CMD_GLOBAL 1

#define MOST_LIST_BYTES 1024

static void load(struct probe_result *result, const char *name)
{
	struct text path;
	int file;

	text_clear(&path);
	text_string(&path, "/modules/");
	text_string(&path, name);
	file = open(text_done(&path), O_RDONLY | O_CLOEXEC);
	if (file < 0) {
		probe_failed(result, "open");
		return;
	}
	if (syscall(SYS_finit_module, file, "", strstr(name, ".ko.") ? MODULE_INIT_COMPRESSED_FILE : 0))
		probe_failed(result, "finit_module");
	close(file);
}

/* What is in /modules/list, separated by commas; false where there are no modules. */
static bool read_list(char list[MOST_LIST_BYTES])
{
	int file = open("/modules/list", O_RDONLY | O_CLOEXEC);
	ssize_t length = file < 0 ? -1 : read(file, list, MOST_LIST_BYTES - 1);

	if (file >= 0)
		close(file);
	if (length < 0)
		return false;
	list[length] = '\0';
	return true;
}

/* Loads the modules in /modules/list, in this order, until one fails. */
void probe_modules(struct probe_result *result)
{
	char list[MOST_LIST_BYTES], name[64];
	const char *rest = list;

	if (!read_list(list)) {
		probe_failed(result, "list");
		return;
	}
	while (!result->error && list_next(&rest, name, sizeof(name)))
		load(result, name);
}

/* The one that no open file of init holds, and no other module needs. */
#define REMOVABLE_FILE "virtio_net.ko"
#define REMOVABLE_NAME "virtio_net"

bool probe_modules_removable(void)
{
	char list[MOST_LIST_BYTES];

	return read_list(list) && strstr(list, REMOVABLE_FILE);
}

void probe_modules_again(struct probe_result *result)
{
	char list[MOST_LIST_BYTES], name[64];
	const char *rest = list;

	if (!read_list(list)) {
		probe_failed(result, "list");
		return;
	}
	if (syscall(SYS_delete_module, REMOVABLE_NAME, O_NONBLOCK)) {
		probe_failed(result, "delete_module");
		return;
	}
	while (list_next(&rest, name, sizeof(name))) {
		if (strstr(name, REMOVABLE_FILE))
			load(result, name);
	}
	/* A worker frees what a module needs to begin with, after a grace period. */
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	usleep(50000);
}
