// SPDX-License-Identifier: GPL-2.0-only
/*
 * A dump may be "flattened" (makedumpfile -F, and what QEMU and virsh write unless they are asked for
 * a raw one): records of an offset and a length, big-endian, each before its bytes, in the order in
 * which they were written (makedumpfile.h, struct makedumpfile_data_header).
 */
#include "dump-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fail.h"

#define FLAT_SIGNATURE "makedumpfile"
#define FLAT_HEADER_BYTES 4096
#define FLAT_TYPE 1
#define MAX_RECORDS ((size_t)1 << 24)

struct record {
	uint64_t offset;
	uint64_t bytes;
	uint64_t position;
};

struct dump_file {
	const char *path;
	int descriptor;
	/* Of a flattened file, by offset; otherwise NULL. */
	struct record *records;
	size_t record_count;
};

static bool read_at(int descriptor, uint64_t offset, void *to, size_t bytes)
{
	size_t done = 0;

	if (offset > INT64_MAX || bytes > INT64_MAX - offset)
		return false;
	while (done < bytes) {
		ssize_t got = pread(descriptor, (char *)to + done, bytes - done, (off_t)(offset + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	return true;
}

static uint64_t big_endian(const unsigned char *bytes)
{
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value = value << 8 | bytes[i];
	return value;
}

/* The later of two records of the same offset comes last. */
static int compare_records(const void *left, const void *right)
{
	const struct record *a = left, *b = right;

	if (a->offset != b->offset)
		return a->offset < b->offset ? -1 : 1;
	return a->position < b->position ? -1 : 1;
}

static void add_record(struct dump_file *file, size_t *room, struct record record)
{
	if (file->record_count == *room) {
		if (*room >= MAX_RECORDS)
			fail("%s: flattened into more than %zu records: rearrange it first with makedumpfile -R.",
			     file->path, MAX_RECORDS);
		*room = *room ? *room * 2 : 1024;
		file->records = realloc(file->records, *room * sizeof(record));
		if (!file->records)
			fail("%s: no memory for an index of its records.", file->path);
	}
	file->records[file->record_count++] = record;
}

/*
 * A header that was written again replaces the first one; what else overlaps is not what makedumpfile
 * or QEMU write.
 */
static void sort_records(struct dump_file *file)
{
	size_t kept = 0;

	qsort(file->records, file->record_count, sizeof(*file->records), compare_records);
	for (size_t i = 0; i < file->record_count; i++) {
		struct record *record = &file->records[i];
		struct record *before = kept ? &file->records[kept - 1] : NULL;

		if (before && before->offset == record->offset && before->bytes == record->bytes)
			kept--;
		else if (before && before->offset + before->bytes > record->offset)
			fail("%s: its flattened records overlap at offset 0x%llx: rearrange it first with makedumpfile -R.",
			     file->path, (unsigned long long)record->offset);
		file->records[kept++] = *record;
	}
	file->record_count = kept;
}

static void index_records(struct dump_file *file)
{
	uint64_t position = FLAT_HEADER_BYTES;
	unsigned char header[16];
	size_t room = 0;

	for (;;) {
		if (!read_at(file->descriptor, position, header, sizeof(header)))
			fail("%s: this flattened dump is cut short: it has no end record.", file->path);
		struct record record = { big_endian(header), big_endian(header + 8),
					 position + sizeof(header) };

		if (record.offset == UINT64_MAX)
			break;
		if (!record.bytes || record.offset > INT64_MAX || record.bytes > INT64_MAX - record.offset ||
		    record.bytes > INT64_MAX - record.position)
			fail("%s: it has a flattened record of no sense at 0x%llx: copy the dump again.",
			     file->path, (unsigned long long)position);
		add_record(file, &room, record);
		position = record.position + record.bytes;
	}
	sort_records(file);
}

static bool is_flattened(int descriptor)
{
	unsigned char header[32];

	return read_at(descriptor, 0, header, sizeof(header)) &&
	       !memcmp(header, FLAT_SIGNATURE, sizeof(FLAT_SIGNATURE)) && big_endian(header + 16) == FLAT_TYPE;
}

struct dump_file *dump_file_open(const char *path)
{
	struct dump_file *file = calloc(1, sizeof(*file));
	struct stat status;

	if (!file)
		fail("%s: no memory to open it.", path);
	file->path = path;
	/* A pipe would wait for a writer. */
	file->descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file->descriptor < 0 || fstat(file->descriptor, &status))
		fail("%s: cannot be opened: %s.", path, strerror(errno));
	if (!S_ISREG(status.st_mode))
		fail("%s: not a regular file: copy the dump to a file first.", path);
	if (is_flattened(file->descriptor))
		index_records(file);
	return file;
}

void dump_file_close(struct dump_file *file)
{
	close(file->descriptor);
	free(file->records);
	free(file);
}

const char *dump_file_path(const struct dump_file *file)
{
	return file->path;
}

/* The record that has the byte at an offset, or NULL. */
static const struct record *record_at(const struct dump_file *file, uint64_t offset)
{
	size_t low = 0, high = file->record_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (file->records[middle].offset <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return NULL;
	const struct record *record = &file->records[low - 1];

	return offset - record->offset < record->bytes ? record : NULL;
}

bool dump_file_read(struct dump_file *file, uint64_t offset, void *to, size_t bytes)
{
	size_t done = 0;

	if (!file->records)
		return read_at(file->descriptor, offset, to, bytes);
	while (done < bytes) {
		const struct record *record = record_at(file, offset + done);

		if (!record)
			return false;
		uint64_t skipped = offset + done - record->offset;
		uint64_t rest = record->bytes - skipped;
		size_t count = rest < bytes - done ? (size_t)rest : bytes - done;

		if (!read_at(file->descriptor, record->position + skipped, (char *)to + done, count))
			return false;
		done += count;
	}
	return true;
}

void *dump_file_piece(struct dump_file *file, uint64_t offset, uint64_t bytes, const char *what)
{
	char last;

	/* A length of no sense is found before there is memory for it. */
	if (!bytes || offset > UINT64_MAX - bytes || !dump_file_read(file, offset + bytes - 1, &last, 1))
		fail("%s: it ends before the end of %s: copy the whole dump again.", file->path, what);
	void *piece = malloc(bytes);

	if (!piece)
		fail("%s: no memory for %s of %llu bytes.", file->path, what, (unsigned long long)bytes);
	if (!dump_file_read(file, offset, piece, bytes))
		fail("%s: %s cannot be read: %s.", file->path, what, strerror(errno));
	return piece;
}
