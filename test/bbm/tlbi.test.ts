// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { decodeTlbi } from '../../src/bbm/tlbi.ts';

// Encodings as GNU as makes them.
const insns = {
  vmalle1: 0xd508871f,
  vmalle1is: 0xd508831f,
  vaae1: 0xd5088760,
  vaae1is: 0xd5088360,
  vaale1is: 0xd50883e0,
  vae1is: 0xd5088320,
  aside1is: 0xd5088340,
  rvaale1is: 0xd50882e0,
  alle1: 0xd50c879f,
} as const;
const va = 0xffff_8000_8001_0000n;
const pageOf = (address: bigint) => Number(BigInt.asIntN(64, address) >> 12n);
/** As __TLBI_VADDR() of arch/arm64/include/asm/tlbflush.h has it. */
const operand = (address: bigint, ttl = 0n) =>
  ((address >> 12n) & ((1n << 44n) - 1n)) | (ttl << 44n);

t.test('what a TLBI reaches', (t) => {
  const page = { start: pageOf(va), end: pageOf(va) + 1 };
  t.same(decodeTlbi(insns.vmalle1, 0n), { broadcast: false, lastLevelOnly: false, global: true });
  t.same(decodeTlbi(insns.vmalle1is, 0n), { broadcast: true, lastLevelOnly: false, global: true });
  const all = { broadcast: true, global: true, range: page };
  t.same(decodeTlbi(insns.vaae1is, operand(va)), { ...all, lastLevelOnly: false });
  t.same(decodeTlbi(insns.vaale1is, operand(va)), { ...all, lastLevelOnly: true });
  t.match(decodeTlbi(insns.vaae1, operand(va)), { broadcast: false });
  t.same(decodeTlbi(insns.vae1is, operand(va) | (7n << 48n)), {
    ...all,
    lastLevelOnly: false,
    asid: 7,
  });
  t.match(decodeTlbi(insns.aside1is, 9n << 48n), { asid: 9, global: false });
  t.equal(decodeTlbi(insns.alle1, 0n), undefined, 'of EL2');
  t.end();
});

t.test('a hint names a level and a granule', (t) => {
  t.match(decodeTlbi(insns.vaae1is, operand(va, 0b0111n)), {
    level: 3,
    granule: 4096,
    range: { start: pageOf(va) },
  });
  // What is left of the upper bits of an address is a hint, too.
  const unmasked = 0xffff_ffff_ffe0_5000n >> 12n;
  t.match(decodeTlbi(insns.vaae1, unmasked), {
    level: 3,
    granule: 65536,
    range: { start: pageOf(0xffff_ffff_ffe0_5000n) },
  });
  t.end();
});

t.test('a range', (t) => {
  // TG 4K, SCALE 1, NUM 2: 3 << 6 pages.
  const base = (va >> 12n) & ((1n << 37n) - 1n);
  const range = base | (2n << 39n) | (1n << 44n) | (1n << 46n);
  t.match(decodeTlbi(insns.rvaale1is, range), {
    broadcast: true,
    lastLevelOnly: true,
    range: { start: pageOf(va), end: pageOf(va) + 192 },
  });
  const wide = ((va >> 16n) & ((1n << 37n) - 1n)) | (1n << 46n);
  t.match(decodeTlbi(insns.rvaale1is, wide, true), {
    range: { start: pageOf(va), end: pageOf(va) + 2 },
  });
  t.end();
});
