// SPDX-License-Identifier: GPL-2.0-only
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "board.h"
#include "channel.h"
#include "options.h"

#define PIECE_BYTES ((size_t)64 << 10)
/* The longest known file is kallsyms: 14 MiB on Linux 7.3. */
#define MAX_FILE_BYTES ((size_t)24 << 20)

#define SYSLOG_ACTION_READ_ALL 3
#define SYSLOG_ACTION_SIZE_BUFFER 10

/*
 * A file system that this kernel was built without is not a problem: its files are then reported as
 * absent.
 */
static void mount_one(const char *type, const char *target)
{
	mkdir(target, 0755);
	/* EBUSY: CONFIG_DEVTMPFS_MOUNT has already mounted it. */
	if (mount(type, target, type, 0, NULL) && errno != EBUSY && errno != ENODEV && errno != ENOENT)
		channel_problem(target, "mount failed", errno);
}

void files_set(const char *path, const char *value)
{
	int file = open(path, O_WRONLY | O_CLOEXEC);

	if (file < 0) {
		if (errno != ENOENT)
			channel_problem(path, "open failed", errno);
		return;
	}
	if (write(file, value, strlen(value)) < 0)
		channel_problem(path, "write failed", errno);
	close(file);
}

void files_mount(void)
{
	mount_one("proc", "/proc");
	mount_one("sysfs", "/sys");
	mount_one("devtmpfs", "/dev");
	mount_one("debugfs", "/sys/kernel/debug");
	/*
	 * 1 shows %pK addresses to a reader with CAP_SYSLOG; 0 would hash them (lib/vsprintf.c,
	 * restricted_pointer()).
	 */
	files_set("/proc/sys/kernel/kptr_restrict", "1");
	/* Keeps ptdiff's locked pages where they are. */
	files_set("/proc/sys/vm/compact_unevictable_allowed", "0");
}

static void send_end(const char *name, int error, bool cut)
{
	struct file_end end = { .error = (uint32_t)error, .cut = cut };

	channel_send(RECORD_FILE_END, name, &end, sizeof(end));
}

void files_send_as(const char *name, const char *path)
{
	static unsigned char piece[PIECE_BYTES];
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t total = 0;
	size_t filled = 0;
	ssize_t got = 0;
	bool lost = false;

	if (file < 0) {
		send_end(name, errno, false);
		return;
	}
	/* A file in /proc returns one page at a time: fill whole pieces, so that there are few records. */
	while (!lost && total < MAX_FILE_BYTES && (got = read(file, piece + filled, sizeof(piece) - filled)) > 0) {
		filled += (size_t)got;
		total += (size_t)got;
		if (filled == sizeof(piece)) {
			lost = !channel_send(RECORD_PIECE, name, piece, filled);
			filled = 0;
		}
	}
	if (filled && !lost)
		lost = !channel_send(RECORD_PIECE, name, piece, filled);
	send_end(name, got < 0 ? errno : 0, lost || total >= MAX_FILE_BYTES);
	close(file);
}

static void send_file(const char *path)
{
	files_send_as(path, path);
}

void files_send_log(void)
{
	int size = klogctl(SYSLOG_ACTION_SIZE_BUFFER, NULL, 0);
	char *log = MAP_FAILED;
	int length = -1;

	if (size > 0)
		log = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (log != MAP_FAILED)
		length = klogctl(SYSLOG_ACTION_READ_ALL, log, size);
	if (length < 0) {
		send_end("dmesg", errno, false);
		return;
	}
	for (size_t at = 0; at < (size_t)length; at += PIECE_BYTES) {
		size_t rest = (size_t)length - at;

		channel_send(RECORD_PIECE, "dmesg", log + at, rest < PIECE_BYTES ? rest : PIECE_BYTES);
	}
	send_end("dmesg", 0, false);
	munmap(log, (size_t)size);
}

void files_send_static(void)
{
	static const char *const paths[] = {
		"/proc/version", "/proc/cmdline", "/proc/cpuinfo", "/proc/iomem", "/proc/modules", "/proc/config.gz",
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		send_file(paths[i]);
}

void files_send_asked(const char *names)
{
	if (list_has(names, "kallsyms"))
		send_file("/proc/kallsyms");
	/* Last, so that nothing comes between its walk of the tables and the harness's. */
	if (list_has(names, "board"))
		board_send(list_has(names, "busy"));
}

void files_send_changing(void)
{
	send_file("/proc/meminfo");
	send_file("/proc/vmallocinfo");
	send_file("/sys/devices/system/cpu/online");
	send_file("/sys/kernel/debug/kfence/objects");
	files_send_as("kernel_page_tables", "/sys/kernel/debug/kernel_page_tables");
	files_send_log();
}
