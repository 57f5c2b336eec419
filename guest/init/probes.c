// SPDX-License-Identifier: GPL-2.0-only
#include "probes.h"

#include <errno.h>
#include <string.h>

#include "channel.h"
#include "faults.h"
#include "options.h"
#include "pagemap.h"
#include "text.h"

static const struct probe {
	const char *name;
	void (*run)(struct probe_result *result);
} probes[] = {
	{ "modules", probe_modules },
	{ "memfd_secret", probe_memfd_secret },
	{ "cpu_online", probe_cpu_online },
	{ "cpu_hotplug", probe_cpu_hotplug },
	{ "virtio-console", probe_virtio_console },
	{ "virtio-blk", probe_virtio_blk },
	{ "virtio-rng", probe_virtio_rng },
	{ "virtio-net", probe_virtio_net },
};

static const struct probe *probe_named(const char *name)
{
	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
		if (strcmp(probes[i].name, name) == 0)
			return &probes[i];
	}
	return NULL;
}

void probe_failed(struct probe_result *result, const char *call)
{
	result->call = call;
	result->error = errno;
}

void probe_touch(struct probe_result *result, volatile unsigned char *first, size_t count)
{
	for (size_t i = 0; i < count && result->page_count < PROBE_MAX_PAGES; i++) {
		volatile unsigned char *page = first + i * page_bytes;

		if (!fault_caught_writing(page)) {
			result->pages[result->page_count++] = pagemap_physical((const void *)page);
		} else {
			result->call = "touch";
			result->error = EFAULT;
			return;
		}
	}
}

void probe_send(const char *name, const struct probe_result *result)
{
	struct text text;

	text_clear(&text);
	text_string(&text, "call=");
	text_string(&text, result->call);
	text_string(&text, "\nerrno=");
	text_decimal(&text, (uint64_t)result->error);
	for (size_t i = 0; i < result->page_count; i++) {
		text_string(&text, "\npage=");
		text_hex(&text, result->pages[i]);
	}
	if (result->data_bytes)
		text_string(&text, "\ndata=");
	for (size_t i = 0; i < result->data_bytes; i++)
		text_byte(&text, result->data[i]);
	text_string(&text, "\n");
	channel_send(RECORD_PROBE, name, text.bytes, text.length);
}

void probes_run(const char *names)
{
	char name[64];

	while (list_next(&names, name, sizeof(name))) {
		const struct probe *probe = probe_named(name);
		struct probe_result result = { .call = "ok" };

		if (!probe) {
			channel_problem(name, "no such probe", 0);
			continue;
		}
		probe->run(&result);
		probe_send(name, &result);
	}
}
