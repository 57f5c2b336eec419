// SPDX-License-Identifier: GPL-2.0-only
/*
 * collect: writes down the kernel's own page tables on a live arm64 machine or in a dump of one, and
 * what is needed to judge them, for `ptdiff judge` on another machine.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "archive.h"
#include "dumped-files.h"
#include "facts.h"
#include "host-files.h"
#include "read-only.h"
#include "settle.h"

#define COLLECTOR "1"
#define PTDUMP "/sys/kernel/debug/kernel_page_tables"
#define MAX_UNSETTLED 65536
#define MAX_PTDUMP_BYTES ((size_t)48 << 20)

struct options {
	const char *out;
	const char *core;
	const char *image;
	bool dry_run;
};

static void print_help(void)
{
	printf("Usage: collect [--out FILE] [--dry-run] [--with-image FILE] [--core FILE]\n"
	       "\n"
	       "Reads the page tables of the running arm64 Linux kernel, and leaves one small file for\n"
	       "'ptdiff judge' on any other machine. It needs root, and changes nothing on this machine.\n"
	       "\n"
	       "  --out FILE         where to write; default board.tar.gz, '-' is standard output\n"
	       "  --dry-run          write nothing, list what would be in the file\n"
	       "  --with-image FILE  add the kernel's image; without it the kernel is found by its build ID\n"
	       "  --core FILE        read a dump instead: /proc/vmcore, an ELF core, or a kdump-compressed file\n"
	       "  --help             this text\n"
	       "\n"
	       "What is in the file (a tar, compressed with gzip; all is text but fdt and Image):\n");
	archive_explain();
	printf("\n"
	       "No other content of memory is in it: nothing of any process, no file, no key, and neither the\n"
	       "machine's name, nor a user's, nor the time of day, unless the command line or the device tree\n"
	       "says it. The addresses in it are those of this boot: whoever has the file knows where KASLR\n"
	       "put the kernel until the next boot.\n");
}

static struct options parse_options(int count, char **arguments)
{
	static const struct option known[] = {
		{ "out", required_argument, NULL, 'o' },	{ "dry-run", no_argument, NULL, 'n' },
		{ "with-image", required_argument, NULL, 'i' }, { "core", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },		{ 0 },
	};
	struct options options = { .out = "board.tar.gz" };
	int option;

	while ((option = getopt_long(count, arguments, "ho:", known, NULL)) != -1) {
		if (option == 'o')
			options.out = optarg;
		else if (option == 'n')
			options.dry_run = true;
		else if (option == 'i')
			options.image = optarg;
		else if (option == 'c')
			options.core = optarg;
		else if (option == 'h') {
			print_help();
			_exit(fflush(stdout) ? 1 : 0);
		} else {
			fputs("collect: see collect --help.\n", stderr);
			_exit(2);
		}
	}
	if (optind < count)
		fail("There is no argument %s: see collect --help.", arguments[optind]);
	return options;
}

static struct memory *open_dump(const char *path)
{
	struct memory *memory = open_core(path);

	if (!memory)
		memory = open_kdump(path);
	if (!memory)
		fail("%s: neither an ELF core nor a kdump-compressed dump: give what kdump, makedumpfile, virsh dump or QEMU's dump-guest-memory wrote.",
		     path);
	return memory;
}

static struct memory *open_live(void)
{
	struct memory *memory;

	if (geteuid() != 0)
		fail("The kernel's memory is for root alone: run it with sudo.");
	memory = open_kcore();
	if (!memory)
		memory = open_bpf();
	return memory;
}

/* The first member is filled last, when it is known what is lost. */
static void print_summary(struct buffer *buffer, const char *source, const struct settled *walks, bool is_live)
{
	buffer_print(buffer, "{\"schema\":1,\"collector\":\"%s\",\"source\":\"%s\",\"walks\":%u,\"settled\":%s,\"uptime\":",
		     COLLECTOR, source, walks->walks, walks->settled ? "true" : "false");
	if (is_live)
		print_uptime(buffer);
	else
		buffer_print(buffer, "null");
	buffer_print(buffer, ",\"lockdown\":%s,\"lost\":[", is_live ? lockdown_state() : "null");
	for (size_t i = 0; i < lost_count; i++) {
		buffer_print(buffer, "%s\"", i ? "," : "");
		for (const char *at = lost[i]; *at; at++)
			buffer_print(buffer, *at == '"' || *at == '\\' ? "\\%c" : "%c",
				     *at >= ' ' && *at <= '~' ? *at : '?');
		buffer_print(buffer, "\"");
	}
	buffer_print(buffer, "]}\n");
}

/* Of more ranges than a reader accepts, the last one is all that the rest lie in. */
static void print_unsettled(const struct ranges *ranges, struct buffer *buffer)
{
	for (size_t i = 0; i < ranges->count && i < MAX_UNSETTLED; i++) {
		size_t last = i == MAX_UNSETTLED - 1 ? ranges->count - 1 : i;
		uint64_t end = ranges->at[last].end;

		/* The top of the address space is its last address here. */
		buffer_print(buffer, "%llx %llx\n", (unsigned long long)ranges->at[i].start,
			     (unsigned long long)(end ? end : UINT64_MAX));
	}
}

/* What must be of the same moment as the tables. */
struct moment {
	struct buffer secret;
	struct buffer areas;
	bool has_areas;
};

static void read_moment(const struct board *board, const struct walk *walk, struct ranges *odd, void *into)
{
	struct moment *moment = into;

	moment->secret.length = 0;
	print_secret(board, walk, odd, &moment->secret);
	add_half_read_only(board, walk, odd);
	moment->areas.length = 0;
	moment->has_areas = print_vmallocinfo(board, &moment->areas);
}

static struct settled collect_memory(struct archive *archive, struct memory *memory, bool is_live)
{
	struct board board;
	struct moment moment = { 0 };
	struct settled walks;

	board_open(&board, memory);
	walks = walk_until_settled(&board, &(struct reading){ read_moment, &moment });
	buffer_add(archive_member(archive, "vmcoreinfo"), memory->vmcoreinfo, memory->vmcoreinfo_length);
	print_walk(&board, walks.walk, archive_member(archive, "descriptors"));
	print_unsettled(&walks.unsettled, archive_member(archive, "unsettled"));
	print_variables(&board, archive_member(archive, "variables"));
	print_memblock(&board, archive_member(archive, "memblock"));
	print_cpus(&board, is_live, archive_member(archive, "cpus"));
	print_overrides(&board, archive_member(archive, "overrides"));
	*archive_member(archive, "secret") = moment.secret;
	if (!moment.has_areas)
		lose("The kernel's lists of vmalloc's areas cannot be read from its memory.");
	if (is_live)
		add_host_files(archive, moment.areas);
	else
		add_dumped_files(archive, &board, moment.areas);
	if (!walks.settled)
		lose("The linear map changed in each of %u walks: see the member unsettled.", walks.walks);
	return walks;
}

/* The kernel's own dump of its tables: all there is where its memory cannot be read. */
static struct settled collect_ptdump(struct archive *archive)
{
	struct settled once = { .walks = 1, .settled = true };
	struct buffer dump = { 0 };
	int error = buffer_file(&dump, PTDUMP, MAX_PTDUMP_BYTES);

	if (error == EFBIG)
		fail("%s is longer than 48 MiB, and there is neither /proc/kcore nor BPF to read the tables with.", PTDUMP);
	if (error)
		fail("This kernel has no /proc/kcore (CONFIG_PROC_KCORE), no program of BPF may read its memory, and %s cannot be read (%s): mount debugfs if it has CONFIG_PTDUMP_DEBUGFS, boot a kernel with CONFIG_PROC_KCORE, or collect from a crash dump with --core.",
		     PTDUMP, strerror(error));
	lose("Only the kernel's own dump of its tables could be had: neither its variables, nor memblock, nor the raw ID registers of its CPUs, nor VMCOREINFO.");
	print_cpus(&(struct board){ 0 }, true, archive_member(archive, "cpus"));
	add_host_files(archive, (struct buffer){ 0 });
	*archive_member(archive, "kernel_page_tables") = dump;
	return once;
}

int main(int count, char **arguments)
{
	static struct archive archive;
	struct options options = parse_options(count, arguments);
	struct memory *memory;
	struct settled walks;
	bool is_live = !options.core;
	struct buffer *summary;

	if (options.image)
		archive_check_image(options.image);
	archive.image = options.image;
	memory = options.core ? open_dump(options.core) : open_live();
	summary = archive_member(&archive, "collect.json");
	walks = memory ? collect_memory(&archive, memory, is_live) : collect_ptdump(&archive);
	print_summary(summary, memory ? memory->source : "ptdump", &walks, is_live);
	for (size_t i = 0; i < lost_count; i++)
		fprintf(stderr, "collect: %s\n", lost[i]);
	if (options.dry_run)
		archive_list(&archive);
	else
		archive_write(&archive, options.out);
	if (!options.dry_run && strcmp(options.out, "-") != 0)
		fprintf(stderr, "collect: wrote %s: give it to 'ptdiff judge'.\n", options.out);
	return fflush(stdout) ? 1 : 0;
}
