// SPDX-License-Identifier: GPL-2.0-only
#include "host-files.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FILE_BYTES ((size_t)4 << 20)

static void add_file(struct archive *archive, const char *name, const char *path)
{
	struct buffer *buffer = archive_member(archive, name);
	int error = buffer_file(buffer, path, MAX_FILE_BYTES);

	if (error == EFBIG)
		lose("%s is longer than 4 MiB: it is not in the archive.", path);
	else if (error && error != ENOENT)
		lose("%s cannot be read (%s): it is not in the archive.", path, strerror(error));
}

/* Adds one line of /proc/modules without what depends on the module and how often it is used. */
static void add_module(struct buffer *buffer, char *line)
{
	char *rest = line;
	const char *name = strsep(&rest, " ");
	const char *size = strsep(&rest, " ");
	const char *state, *address;

	strsep(&rest, " ");
	strsep(&rest, " ");
	state = strsep(&rest, " ");
	address = strsep(&rest, " ");
	if (address)
		buffer_print(buffer, "%s %s %s %s\n", name, size, state, address);
}

static void add_modules(struct archive *archive)
{
	struct buffer *buffer = archive_member(archive, "modules");
	struct buffer text = { 0 };
	int error = buffer_file(&text, "/proc/modules", MAX_FILE_BYTES);
	char *lines, *line;

	if (error && error != ENOENT)
		lose("/proc/modules cannot be read (%s): it is not in the archive.", strerror(error));
	buffer_add(&text, "", 1);
	lines = (char *)text.bytes;
	while ((line = strsep(&lines, "\n")))
		add_module(buffer, line);
	free(text.bytes);
}

/* lib/vsprintf.c, restricted_pointer(): with any other value than 1, root sees no address either. */
static void add_own_vmallocinfo(struct archive *archive)
{
	struct buffer text = { 0 };

	add_file(archive, "vmallocinfo", "/proc/vmallocinfo");
	if (buffer_file(&text, "/proc/sys/kernel/kptr_restrict", 16) == 0 && text.length && text.bytes[0] != '1')
		lose("/proc/vmallocinfo shows no addresses, since kernel.kptr_restrict is %c (1 shows them to root).",
		     text.bytes[0]);
	free(text.bytes);
}

void add_vmallocinfo(struct archive *archive, struct buffer areas)
{
	if (areas.length <= MAX_FILE_BYTES)
		*archive_member(archive, "vmallocinfo") = areas;
	else
		lose("The kernel has more than 4 MiB of areas of vmalloc: they are not in the archive.");
}

void add_host_files(struct archive *archive, struct buffer areas)
{
	add_file(archive, "iomem", "/proc/iomem");
	if (areas.length)
		add_vmallocinfo(archive, areas);
	else
		add_own_vmallocinfo(archive);
	add_modules(archive);
	add_file(archive, "cmdline", "/proc/cmdline");
	add_file(archive, "version", "/proc/version");
	add_file(archive, "meminfo", "/proc/meminfo");
	add_file(archive, "fdt", "/sys/firmware/fdt");
}

const char *lockdown_state(void)
{
	static const char *const states[] = { "none", "integrity", "confidentiality" };
	static const char *const shown[] = { "\"none\"", "\"integrity\"", "\"confidentiality\"" };
	const char *found = "null";
	struct buffer text = { 0 };

	if (buffer_file(&text, "/sys/kernel/security/lockdown", 256) == 0) {
		buffer_add(&text, "", 1);
		for (size_t i = 0; i < 3; i++) {
			char chosen[32];

			snprintf(chosen, sizeof(chosen), "[%s]", states[i]);
			if (strstr((const char *)text.bytes, chosen))
				found = shown[i];
		}
	}
	free(text.bytes);
	return found;
}

void print_uptime(struct buffer *buffer)
{
	struct buffer text = { 0 };
	size_t digits = 0;

	if (buffer_file(&text, "/proc/uptime", 256) == 0) {
		while (digits < text.length && isdigit(text.bytes[digits]))
			digits++;
	}
	if (digits)
		buffer_add(buffer, text.bytes, digits);
	else
		buffer_print(buffer, "null");
	free(text.bytes);
}
