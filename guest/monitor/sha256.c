// SPDX-License-Identifier: GPL-2.0-only
/* SHA-256 (FIPS 180-4) for the realm's measurements. */
#include "monitor.h"

static const u32 constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static const u32 initial[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static u32 rotate(u32 value, u32 by)
{
	return value >> by | value << (32 - by);
}

static void expand(u32 schedule[64], const u8 block[64])
{
	for (u32 t = 0; t < 16; t++) {
		const u8 *byte = block + 4 * t;

		schedule[t] = (u32)byte[0] << 24 | (u32)byte[1] << 16 | (u32)byte[2] << 8 | byte[3];
	}
	for (u32 t = 16; t < 64; t++) {
		u32 a = schedule[t - 15], b = schedule[t - 2];
		u32 small0 = rotate(a, 7) ^ rotate(a, 18) ^ a >> 3;
		u32 small1 = rotate(b, 17) ^ rotate(b, 19) ^ b >> 10;

		schedule[t] = small1 + schedule[t - 7] + small0 + schedule[t - 16];
	}
}

static void compress(struct sha256 *hash)
{
	u32 schedule[64];
	u32 v[8];

	expand(schedule, hash->block);
	memcpy(v, hash->state, sizeof(v));
	for (u32 t = 0; t < 64; t++) {
		u32 big1 = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25);
		u32 choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
		u32 one = v[7] + big1 + choice + constants[t] + schedule[t];
		u32 big0 = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22);
		u32 majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);

		for (u32 i = 7; i > 0; i--)
			v[i] = v[i - 1];
		v[4] += one;
		v[0] = one + big0 + majority;
	}
	for (u32 i = 0; i < 8; i++)
		hash->state[i] += v[i];
}

void sha256_start(struct sha256 *hash)
{
	memcpy(hash->state, initial, sizeof(initial));
	hash->length = 0;
}

void sha256_add(struct sha256 *hash, const void *data, size_t size)
{
	const u8 *byte = data;

	for (; size > 0; size--) {
		hash->block[hash->length++ % 64] = *byte++;
		if (hash->length % 64 == 0)
			compress(hash);
	}
}

void sha256_end(struct sha256 *hash, u8 digest[32])
{
	u64 bits = hash->length * 8;
	u8 length[8];

	for (u32 i = 0; i < 8; i++)
		length[i] = (u8)(bits >> (56 - 8 * i));
	sha256_add(hash, "\x80", 1);
	while (hash->length % 64 != 56)
		sha256_add(hash, "", 1);
	sha256_add(hash, length, 8);
	for (u32 i = 0; i < 32; i++)
		digest[i] = (u8)(hash->state[i / 4] >> (24 - 8 * (i % 4)));
}
