// SPDX-License-Identifier: GPL-2.0-only
/*
 * ptdiff's probe: the first and only process of the guest. It sends the harness what the guest
 * itself sees, runs the requested probes, and powers the machine off. See protocol.h for how
 * records leave the guest.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/reboot.h>
#include <termios.h>
#include <unistd.h>

#include "channel.h"
#include "churn.h"
#include "exercises.h"
#include "faults.h"
#include "files.h"
#include "options.h"
#include "pagemap.h"
#include "probes.h"
#include "text.h"

static struct options options;

/*
 * Ends the guest. The kernel would panic if PID 1 returned, so after a failed power-off it waits
 * instead.
 */
static _Noreturn void end(void)
{
	channel_event(EVENT_BYE);
	if (!options.stay && reboot(RB_POWER_OFF))
		channel_problem("end", "power off failed", errno);
	for (;;)
		pause();
}

static _Noreturn void end_after_fault(int signal)
{
	static bool again;
	struct text text;

	if (!again) {
		again = true;
		text_clear(&text);
		text_string(&text, "init got signal ");
		text_decimal(&text, (uint64_t)signal);
		channel_problem("init", text_done(&text), 0);
		channel_event(EVENT_READY);
		end();
	}
	for (;;)
		pause();
}

static void open_channel(void)
{
	struct text text;
	int error = pagemap_open();

	if (!error)
		error = channel_open(options.nonce);
	if (error)
		channel_problem("channel", "no directory, only this console", error);
	text_clear(&text);
	text_string(&text, "directory ");
	text_hex(&text, channel_directory());
	console_line(text_done(&text));
	channel_event(EVENT_HELLO);
}

/* For someone who boots this without a harness: the first line of a few files. */
static void print_summary(void)
{
	static const char *const paths[] = { "/proc/version", "/proc/cmdline" };
	char line[512];

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		int file = open(paths[i], O_RDONLY | O_CLOEXEC);
		ssize_t length = file < 0 ? -1 : read(file, line, sizeof(line) - 1);

		if (file >= 0)
			close(file);
		line[length > 0 ? length : 0] = '\0';
		line[strcspn(line, "\n")] = '\0';
		console_line(line);
	}
	console_line(options.stay ? "done: waiting" : "done: powering off");
	/* Anything that the UART has not sent yet would be lost when the power goes off. */
	tcdrain(STDOUT_FILENO);
}

int main(void)
{
	if (getpid() != 1) {
		console_line("this is the init of a test machine; it runs as PID 1 only");
		return 1;
	}
	faults_catch(end_after_fault);
	files_mount();
	options = options_read();
	open_channel();
	if (list_has(options.collect, "past"))
		churn_once();
	files_send_static();
	if (*options.probes) {
		files_send_log();
		probes_run(options.probes);
	}
	files_send_changing();
	files_send_asked(options.collect);
	if (!options.harness)
		print_summary();
	channel_event(EVENT_READY);
	if (options.exercise)
		exercises_run();
	end();
}
