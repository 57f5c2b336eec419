// SPDX-License-Identifier: GPL-2.0-only
/*
 * The attestation token of a realm without a root of trust: a text that says so and contains the
 * challenge, so that nobody can take it for a real one. Each CPU has its own, like each REC
 * (DEN0137, "Realm attestation").
 */
#include "monitor.h"

#define TOKEN_SIZE 256

static const char heading[] = "UNSIGNED ptdiff realm monitor token, proves nothing; challenge ";

static struct {
	u8 token[TOKEN_SIZE];
	u32 size; /* 0: none in progress */
	u32 copied;
} progress[MAX_CPUS];

void attestation_begin(u32 cpu, const u64 challenge[8])
{
	u8 *token = progress[cpu].token;
	u32 at = sizeof(heading) - 1;

	memcpy(token, heading, at);
	for (u32 i = 0; i < 64; i++) {
		u8 byte = (u8)(challenge[i / 8] >> (8 * (i % 8)));

		token[at++] = (u8) "0123456789abcdef"[byte >> 4];
		token[at++] = (u8) "0123456789abcdef"[byte & 0xf];
	}
	progress[cpu].size = at;
	progress[cpu].copied = 0;
}

bool attestation_pending(u32 cpu)
{
	return progress[cpu].size != 0;
}

/*
 * Copies as much as fits; once the last byte is copied, the token is gone. Returns the number of
 * bytes.
 */
u64 attestation_copy(u32 cpu, u8 *to, u64 size)
{
	u64 left = progress[cpu].size - progress[cpu].copied;
	u64 length = size < left ? size : left;

	memcpy(to, progress[cpu].token + progress[cpu].copied, length);
	progress[cpu].copied += (u32)length;
	if (length == left)
		progress[cpu].size = 0;
	return length;
}
