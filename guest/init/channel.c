// SPDX-License-Identifier: GPL-2.0-only
#include "channel.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "crc32.h"
#include "pagemap.h"
#include "text.h"

#define LINUX_REBOOT_MAGIC1 0xfee1dead

/*
 * Data pages are allocated in chunks of this size, each in a separate mapping; with 16K pages a
 * chunk has 64 pages.
 */
#define CHUNK_BYTES ((size_t)1 << 20)
#define MAX_CHUNKS 64
/*
 * Memory that must stay free in the guest: if PID 1 is killed because memory is short, the kernel
 * panics.
 */
#define KEEP_FREE_BYTES ((uint64_t)8 << 20)

static struct directory *directory;
static uint64_t directory_physical;
static uint64_t *index_pages[MAX_CHUNKS]; /* fewer than chunks: each holds 512 addresses or more */
static size_t index_page_count;
static unsigned char *chunks[MAX_CHUNKS];
static size_t chunk_count;
static uint32_t next_sequence;

/*
 * Memory that is present and does not move: locked, and kept from becoming huge, which would move
 * it. Compaction may still move locked pages; channel_event() handles that.
 */
static void *held_memory(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	madvise(memory, bytes, MADV_NOHUGEPAGE);
	if (mlock(memory, bytes)) {
		munmap(memory, bytes);
		return NULL;
	}
	memset(memory, 0, bytes); /* a page that was only read could still be the shared zero page */
	return memory;
}

int channel_open(uint64_t nonce)
{
	directory = held_memory(page_bytes);
	if (!directory)
		return errno;
	directory_physical = pagemap_physical(directory);
	if (!directory_physical) {
		directory = NULL;
		return ENXIO;
	}
	directory->version = DIRECTORY_VERSION;
	directory->page_bytes = (uint32_t)page_bytes;
	directory->nonce = nonce;
	__atomic_store_n(&directory->magic, DIRECTORY_MAGIC, __ATOMIC_RELEASE);
	return 0;
}

uint64_t channel_directory(void)
{
	return directory_physical;
}

static size_t pages_per_chunk(void)
{
	return CHUNK_BYTES / page_bytes;
}

static size_t addresses_per_index_page(void)
{
	return page_bytes / sizeof(uint64_t);
}

/* Enters one data page into the index; false when there is no memory for a further index page. */
static int index_data_page(size_t page, const void *address)
{
	size_t slot = page / addresses_per_index_page();

	if (slot == index_page_count) {
		index_pages[slot] = held_memory(page_bytes);
		if (!index_pages[slot])
			return 0;
		directory->index_pages[slot] = pagemap_physical(index_pages[slot]);
		index_page_count++;
	}
	index_pages[slot][page % addresses_per_index_page()] = pagemap_physical(address);
	return 1;
}

static int grow(void)
{
	struct sysinfo info;
	unsigned char *chunk;

	if (chunk_count == MAX_CHUNKS)
		return 0;
	if (sysinfo(&info) || (uint64_t)info.freeram * info.mem_unit < KEEP_FREE_BYTES + CHUNK_BYTES)
		return 0;
	chunk = held_memory(CHUNK_BYTES);
	if (!chunk)
		return 0;
	for (size_t i = 0; i < pages_per_chunk(); i++) {
		if (!index_data_page(chunk_count * pages_per_chunk() + i, chunk + i * page_bytes))
			return 0;
	}
	chunks[chunk_count++] = chunk;
	return 1;
}

/* Copies into the chunks at a position in the record stream. */
static void put(uint64_t position, const void *bytes, size_t length)
{
	const unsigned char *from = bytes;

	while (length) {
		size_t offset = position % CHUNK_BYTES;
		size_t part = CHUNK_BYTES - offset;

		if (part > length)
			part = length;
		memcpy(chunks[position / CHUNK_BYTES] + offset, from, part);
		from += part;
		position += part;
		length -= part;
	}
}

int channel_send(enum record_type type, const char *name, const void *payload, size_t payload_bytes)
{
	size_t name_bytes = strlen(name);
	struct record record = {
		.magic = RECORD_MAGIC,
		.sequence = next_sequence,
		.type = (uint16_t)type,
		.name_bytes = (uint16_t)name_bytes,
		.payload_bytes = (uint32_t)payload_bytes,
	};
	size_t length = (sizeof(record) + name_bytes + payload_bytes + 7) & ~(size_t)7;
	uint64_t position;

	if (!directory)
		return 0;
	position = directory->committed;
	while (position + length > chunk_count * CHUNK_BYTES) {
		if (!grow()) {
			directory->lost++;
			return 0;
		}
	}
	record.crc = crc32(crc32(crc32(0, &record, sizeof(record)), name, name_bytes), payload, payload_bytes);
	put(position, &record, sizeof(record));
	put(position + sizeof(record), name, name_bytes);
	put(position + sizeof(record) + name_bytes, payload, payload_bytes);
	next_sequence++;
	__atomic_store_n(&directory->committed, position + length, __ATOMIC_RELEASE);
	return 1;
}

void channel_problem(const char *where, const char *what, int error)
{
	struct text text;
	size_t where_bytes;

	text_clear(&text);
	text_string(&text, where);
	text_string(&text, ": ");
	where_bytes = text.length;
	text_string(&text, what);
	if (error) {
		text_string(&text, ": ");
		text_string(&text, strerror(error));
	}
	channel_send(RECORD_PROBLEM, where, text.bytes + where_bytes, text.length - where_bytes);
	console_line(text_done(&text));
}

static void renew_addresses(void)
{
	for (size_t slot = 0; slot < index_page_count; slot++)
		directory->index_pages[slot] = pagemap_physical(index_pages[slot]);
	for (size_t page = 0; page < chunk_count * pages_per_chunk(); page++) {
		const unsigned char *address = chunks[page / pages_per_chunk()] + page % pages_per_chunk() * page_bytes;

		index_data_page(page, address);
	}
	directory_physical = pagemap_physical(directory);
}

void channel_event(enum event event)
{
	if (directory)
		renew_addresses();
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, EVENT_MAGIC2, event, directory_physical);
}
