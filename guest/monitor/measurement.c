// SPDX-License-Identifier: GPL-2.0-only
/*
 * The realm's measurements (DEN0137, "Realm measurement"): index 0 is the initial one, 1 to 4 can
 * be extended. The initial one is the hash of the parameter block: it identifies this realm, but is
 * not the RIM of a real RMM.
 */
#include "monitor.h"

#define DIGEST 32

static u8 measurement[5][64] __attribute__((aligned(8)));

void measurement_init(void)
{
	struct sha256 hash;

	sha256_start(&hash);
	sha256_add(&hash, &parameters, sizeof(parameters));
	sha256_end(&hash, measurement[0]);
}

void measurement_read(u32 index, u64 *words)
{
	memcpy(words, measurement[index], sizeof(measurement[index]));
}

void measurement_extend(u32 index, const u8 *value, u32 size)
{
	struct sha256 hash;

	sha256_start(&hash);
	sha256_add(&hash, measurement[index], DIGEST);
	sha256_add(&hash, value, size);
	sha256_end(&hash, measurement[index]);
}
