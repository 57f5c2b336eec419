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

/* Loads the modules in /modules/list, separated by commas, in this order, until one fails. */
void probe_modules(struct probe_result *result)
{
	char list[MOST_LIST_BYTES], name[64];
	const char *rest = list;
	int file = open("/modules/list", O_RDONLY | O_CLOEXEC);
	ssize_t length = file < 0 ? -1 : read(file, list, sizeof(list) - 1);

	if (length < 0) {
		probe_failed(result, "list");
		return;
	}
	close(file);
	list[length] = '\0';
	while (!result->error && list_next(&rest, name, sizeof(name)))
		load(result, name);
}
