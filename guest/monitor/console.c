// SPDX-License-Identifier: GPL-2.0-only
/*
 * The last message of a monitor that cannot continue: it goes into the report and to the UART, then
 * the machine is turned off.
 */
#include "monitor.h"

#define PL011_DATA 0x00
#define PL011_FLAGS 0x18
#define PL011_TRANSMIT_FULL 0x20
#define PSCI_SYSTEM_OFF 0x84000008

static void put(char character)
{
	volatile u32 *uart = (volatile u32 *)parameters.uart;

	while (uart[PL011_FLAGS / 4] & PL011_TRANSMIT_FULL)
		;
	uart[PL011_DATA / 4] = (u8)character;
}

static u32 append(u32 at, const char *text)
{
	while (*text != '\0' && at < LAST_WORDS - 1)
		report()->last_words[at++] = *text++;
	return at;
}

static u32 append_hex(u32 at, u64 value)
{
	char text[] = "0x0000000000000000";

	for (u32 i = 0; i < 16; i++)
		text[17 - i] = "0123456789abcdef"[value >> (4 * i) & 0xf];
	return append(at, text);
}

_Noreturn void panic(const char *what, u64 value)
{
	u32 at = append(0, "realm monitor: ");

	at = append(at, what);
	at = append(at, ": ");
	at = append_hex(at, value);
	report()->last_words[at] = '\0';
	report()->state = STATE_PANIC;
	if (parameters.uart != 0) {
		for (u32 i = 0; i < at; i++)
			put(report()->last_words[i]);
		put('\r');
		put('\n');
	}
	forward_smc(PSCI_SYSTEM_OFF, 0, 0, 0);
	for (;;)
		__asm__ volatile("wfi");
}
