// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first process of a guest in which collect has no /proc/kcore, or in which the kernel crashes:
 * then it loads a crash kernel first, in which collect reads /proc/vmcore. The archive is printed in
 * base64.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "guest.h"

#define ARCHIVE "/board.tar.gz"
#define COMMAND_LINE "console=ttyAMA0 earlycon=pl011,0x9000000 nokaslr cryptomgr.notests=1 panic=-1"

static _Noreturn void end(void)
{
	fflush(stdout);
	tcdrain(STDOUT_FILENO);
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

void give_up(const char *what)
{
	printf("guest: %s: %s\n", what, strerror(errno));
	end();
}

struct bytes read_whole(const char *path)
{
	struct bytes bytes = { NULL, 0 };
	size_t room = 0;
	ssize_t got;
	int file = open(path, O_RDONLY | O_CLOEXEC);

	if (file < 0)
		give_up(path);
	do {
		if (bytes.length == room) {
			room = room ? room * 2 : 65536;
			bytes.at = realloc(bytes.at, room + 1);
			if (!bytes.at)
				give_up(path);
		}
		got = read(file, bytes.at + bytes.length, room - bytes.length);
		if (got < 0)
			give_up(path);
		bytes.length += (size_t)got;
	} while (got > 0);
	close(file);
	bytes.at[bytes.length] = '\0';
	return bytes;
}

/* The harness has a breakpoint in this system call, which fails. */
static void wait_for_harness(void)
{
	reboot(0);
}

static void require_stop(pid_t child, int status)
{
	int now = 0;

	if (waitpid(child, &now, 0) != child || now >> 8 != status)
		give_up("collect did not stop");
}

/*
 * Runs collect, and stops it at its exit: what it uses of the kernel is still there while the harness
 * looks at the tables.
 */
static struct bytes run_collect(char *const *arguments)
{
	int status = 0;
	pid_t child = fork();

	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execv(arguments[0], arguments);
		_exit(127);
	}
	if (child < 0)
		give_up("fork");
	require_stop(child, SIGTRAP);
	if (ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACEEXIT) ||
	    ptrace(PTRACE_CONT, child, NULL, NULL))
		give_up("ptrace");
	require_stop(child, SIGTRAP | PTRACE_EVENT_EXIT << 8);
	wait_for_harness();
	ptrace(PTRACE_CONT, child, NULL, NULL);
	if (waitpid(child, &status, 0) != child || status) {
		errno = 0;
		give_up("collect failed");
	}
	return read_whole(ARCHIVE);
}

/* Lines that are short enough for a console. */
static void print_base64(struct bytes bytes)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	printf("archive begins\n");
	for (size_t i = 0; i < bytes.length; i += 3) {
		size_t rest = bytes.length - i;
		uint32_t three = (uint32_t)bytes.at[i] << 16;

		if (rest > 1)
			three |= (uint32_t)bytes.at[i + 1] << 8;
		if (rest > 2)
			three |= bytes.at[i + 2];
		putchar(digits[three >> 18]);
		putchar(digits[three >> 12 & 63]);
		putchar(rest > 1 ? digits[three >> 6 & 63] : '=');
		putchar(rest > 2 ? digits[three & 63] : '=');
		if (i / 3 % 18 == 17 || rest <= 3)
			putchar('\n');
	}
	printf("archive ends\n");
}

static void crash(void)
{
	int file = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);

	load_crash_kernel(read_whole("/crash/Image"), read_whole("/crash/initramfs"), COMMAND_LINE);
	printf("guest: crashing\n");
	fflush(stdout);
	tcdrain(STDOUT_FILENO);
	if (file < 0 || write(file, "c", 1) < 0)
		give_up("/proc/sysrq-trigger");
}

/* A root directory whose /proc has only the files with these names. */
static void hide_all_but(const char *const *names)
{
	mkdir("/root", 0755);
	mkdir("/root/proc", 0755);
	mkdir("/root/sys", 0755);
	for (; *names; names++) {
		char from[64], to[64];

		snprintf(from, sizeof(from), "/proc/%s", *names);
		snprintf(to, sizeof(to), "/root/proc/%s", *names);
		close(open(to, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
		if (mount(from, to, NULL, MS_BIND, NULL))
			give_up(from);
	}
	if (mount("/sys", "/root/sys", NULL, MS_BIND | MS_REC, NULL) || link("/collect", "/root/collect") ||
	    chroot("/root") || chdir("/"))
		give_up("/root");
}

static void collect_live(bool has_kcore)
{
	static char *const arguments[] = { "/collect", "--out", ARCHIVE, NULL };
	static const char *const all_but_kcore[] = { "kallsyms", "iomem",   "vmallocinfo", "modules", "cmdline",
						     "version",	 "meminfo", "uptime",	   NULL };

	if (!has_kcore)
		hide_all_but(all_but_kcore);
	print_base64(run_collect(arguments));
}

static void collect_crash(void)
{
	static char *const arguments[] = { "/collect", "--core", "/proc/vmcore", "--out", ARCHIVE, NULL };

	print_base64(run_collect(arguments));
}

static void mount_all(void)
{
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	if (mount("proc", "/proc", "proc", 0, NULL) || mount("sysfs", "/sys", "sysfs", 0, NULL))
		give_up("mount");
	/* A kernel may lack these. */
	mount("securityfs", "/sys/kernel/security", "securityfs", 0, NULL);
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
}

/* Its argument, which is behind "--" on the kernel's command line, says what to do. */
int main(int count, char **arguments)
{
	const char *what = count > 1 ? arguments[1] : "";

	mount_all();
	if (access("/proc/vmcore", R_OK) == 0)
		collect_crash();
	else if (!strcmp(what, "crash"))
		crash();
	else
		collect_live(strcmp(what, "no-kcore"));
	end();
}
