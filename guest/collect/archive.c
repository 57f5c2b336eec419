// SPDX-License-Identifier: GPL-2.0-only
#include "archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define BLOCK 512
#define MAX_IMAGE_BYTES ((off_t)256 << 20)
#define MAX_ARCHIVE_BYTES ((size_t)64 << 20)
#define PIECE_BYTES ((size_t)64 << 10)

static const struct explanation {
	const char *name;
	const char *what;
} explanations[] = {
	{ "collect.json", "how this was read, seconds since boot, lockdown, what could not be had" },
	{ "vmcoreinfo", "VMCOREINFO: the kernel's release, build ID, layout and addresses" },
	{ "descriptors", "entries of the kernel's own page tables; of no process" },
	{ "unsettled", "addresses whose entries kept changing, which are left out" },
	{ "variables", "18 named variables of the kernel, a few bytes each" },
	{ "memblock", "ranges of memory that the kernel found at boot" },
	{ "cpus", "MIDR_EL1 and ID registers of each CPU" },
	{ "overrides", "ID register fields that the command line overrides" },
	{ "secret", "addresses of memfd_secret's pages; nothing of what is in them" },
	{ "iomem", "/proc/iomem: ranges of memory and devices" },
	{ "vmallocinfo", "vmalloc's areas as in /proc/vmallocinfo, and which function made each" },
	{ "modules", "name, size, state and address of each loaded module" },
	{ "cmdline", "/proc/cmdline: the kernel's command line, as it is" },
	{ "version", "/proc/version: the kernel's release, and who built it" },
	{ "meminfo", "/proc/meminfo: how much memory is used for what" },
	{ "fdt", "the firmware's device tree, as it is; it may name the board's serial number" },
	{ "kernel_page_tables", "the kernel's own dump of its tables, where nothing else can be read" },
	{ "Image", "the file that --with-image names" },
};

static const char *explain(const char *name)
{
	for (size_t i = 0; i < sizeof(explanations) / sizeof(explanations[0]); i++) {
		if (strcmp(explanations[i].name, name) == 0)
			return explanations[i].what;
	}
	return "";
}

void archive_explain(void)
{
	for (size_t i = 0; i < sizeof(explanations) / sizeof(explanations[0]); i++)
		printf("  %-18s  %s\n", explanations[i].name, explanations[i].what);
}

struct buffer *archive_member(struct archive *archive, const char *name)
{
	struct member *member = &archive->members[archive->count++];

	if (archive->count > MAX_MEMBERS)
		fail("collect has more members than room for them; this is an error in collect.");
	*member = (struct member){ .name = name };
	return &member->content;
}

static off_t image_bytes(const char *path)
{
	struct stat found;

	if (stat(path, &found))
		fail("The image %s cannot be read (%s).", path, strerror(errno));
	if (!S_ISREG(found.st_mode) || found.st_size == 0 || found.st_size > MAX_IMAGE_BYTES)
		fail("The image %s must be a regular file of at most 256 MiB, such as /boot/vmlinuz-RELEASE.", path);
	return found.st_size;
}

void archive_check_image(const char *path)
{
	image_bytes(path);
}

struct output {
	const char *path;
	int file;
	z_stream stream;
};

static void unlink_part(const struct output *output)
{
	if (output->file != STDOUT_FILENO)
		unlink(output->path);
}

static void write_out(struct output *output, const unsigned char *bytes, size_t length)
{
	while (length) {
		ssize_t written = write(output->file, bytes, length);

		if (written <= 0) {
			int error = errno;

			unlink_part(output);
			fail("%s cannot be written (%s).", output->path, strerror(error));
		}
		bytes += written;
		length -= (size_t)written;
	}
}

static void compress_out(struct output *output, const void *bytes, size_t length, int flush)
{
	static unsigned char piece[PIECE_BYTES];
	z_stream *stream = &output->stream;

	stream->next_in = (Bytef *)bytes;
	stream->avail_in = (uInt)length;
	do {
		stream->next_out = piece;
		stream->avail_out = sizeof(piece);
		deflate(stream, flush);
		write_out(output, piece, sizeof(piece) - stream->avail_out);
	} while (stream->avail_out == 0);
}

/* Octal digits in a field; the NUL after them is there. */
static void put_octal(char *field, size_t digits, size_t value)
{
	for (; digits; value /= 8)
		field[--digits] = (char)('0' + value % 8);
}

/* IEEE 1003.1, ustar: no owner, no time, so that nothing of the machine is in it but its contents. */
static void write_header(struct output *output, const char *name, size_t bytes)
{
	char header[BLOCK] = { 0 };
	unsigned int sum = 0;

	memcpy(header, name, strlen(name));
	put_octal(header + 100, 7, 0644);
	put_octal(header + 108, 7, 0);
	put_octal(header + 116, 7, 0);
	put_octal(header + 124, 11, bytes);
	put_octal(header + 136, 11, 0);
	memset(header + 148, ' ', 8);
	header[156] = '0';
	memcpy(header + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof(header); i++)
		sum += (unsigned char)header[i];
	put_octal(header + 148, 6, sum);
	header[154] = '\0';
	compress_out(output, header, sizeof(header), Z_NO_FLUSH);
}

static void write_padding(struct output *output, size_t bytes)
{
	static const char zeroes[BLOCK];
	size_t more = -bytes & (BLOCK - 1);

	if (more)
		compress_out(output, zeroes, more, Z_NO_FLUSH);
}

static void write_image(struct output *output, const char *path)
{
	static unsigned char piece[PIECE_BYTES];
	size_t bytes = (size_t)image_bytes(path);
	int file = open(path, O_RDONLY | O_CLOEXEC);
	size_t left = bytes;

	write_header(output, "Image", bytes);
	while (left) {
		size_t wanted = left < sizeof(piece) ? left : sizeof(piece);
		ssize_t got = file < 0 ? -1 : read(file, piece, wanted);

		if (got <= 0) {
			unlink_part(output);
			fail("The image %s cannot be read to its end.", path);
		}
		compress_out(output, piece, (size_t)got, Z_NO_FLUSH);
		left -= (size_t)got;
	}
	close(file);
	write_padding(output, bytes);
}

static void check_size(const struct archive *archive)
{
	size_t total = 0;

	for (size_t i = 0; i < archive->count; i++)
		total += archive->members[i].content.length + 2 * BLOCK;
	if (total > MAX_ARCHIVE_BYTES)
		fail("What was collected is %zu MiB, and an archive may have 64 MiB: the kernel's tables hold too many different entries.",
		     total >> 20);
}

static void write_members(const struct archive *archive, struct output *output)
{
	static const char end[2 * BLOCK];

	/* 31: the largest window, with the header of gzip. */
	if (deflateInit2(&output->stream, Z_BEST_COMPRESSION, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY) != Z_OK)
		fail("This machine has no memory to compress the archive: free some and try again.");
	for (size_t i = 0; i < archive->count; i++) {
		const struct buffer *content = &archive->members[i].content;

		if (content->length == 0)
			continue;
		write_header(output, archive->members[i].name, content->length);
		compress_out(output, content->bytes, content->length, Z_NO_FLUSH);
		write_padding(output, content->length);
	}
	if (archive->image)
		write_image(output, archive->image);
	compress_out(output, end, sizeof(end), Z_FINISH);
	deflateEnd(&output->stream);
}

void archive_write(const struct archive *archive, const char *path)
{
	struct output output = { .path = "standard output", .file = STDOUT_FILENO };
	char part[4096];

	check_size(archive);
	if (strcmp(path, "-") == 0) {
		write_members(archive, &output);
		return;
	}
	if (snprintf(part, sizeof(part), "%s.part", path) >= (int)sizeof(part))
		fail("The path %s is too long.", path);
	output.path = part;
	output.file = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (output.file < 0)
		fail("%s cannot be written (%s): name another file with --out.", part, strerror(errno));
	write_members(archive, &output);
	if (close(output.file) || rename(part, path)) {
		unlink(part);
		fail("%s cannot be written (%s).", path, strerror(errno));
	}
}

void archive_list(const struct archive *archive)
{
	for (size_t i = 0; i < archive->count; i++) {
		const struct member *member = &archive->members[i];

		if (member->content.length)
			printf("%10zu  %-18s  %s\n", member->content.length, member->name, explain(member->name));
	}
	if (archive->image)
		printf("%10zu  %-18s  %s\n", (size_t)image_bytes(archive->image), "Image", archive->image);
}
