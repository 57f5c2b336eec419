// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { rootAddress, stage1Regime } from '../../src/vmsa/regime.ts';
import type { SystemRegisters } from '../../src/vmsa/types.ts';
import { given } from '../given.ts';

/** Registers with the MMU on; T1SZ 16, TG1 4K, IPS 48 bits unless overridden. */
function registers(changes: Partial<SystemRegisters> = {}): SystemRegisters {
  const tcr = (16n << 16n) | (2n << 30n) | (5n << 32n);
  return {
    TTBR0_EL1: 0n,
    TTBR1_EL1: 0x4000_0000n,
    TCR_EL1: tcr,
    MAIR_EL1: 0n,
    SCTLR_EL1: 1n,
    ...changes,
  };
}

const tcrOf = (changes: {
  t1sz?: bigint;
  tg1?: bigint;
  ips?: bigint;
  ds?: bigint;
  more?: bigint;
}) => ({
  TCR_EL1:
    ((changes.t1sz ?? 16n) << 16n) |
    ((changes.tg1 ?? 2n) << 30n) |
    ((changes.ips ?? 5n) << 32n) |
    ((changes.ds ?? 0n) << 59n) |
    (changes.more ?? 0n),
});

t.test('levels and first table of the usual address sizes', (t) => {
  // granule, TG1, address bits, DS → start level, entries of the first table (DDI 0487, tables of
  // D8.2.5 to D8.2.7)
  const cases: [number, bigint, number, bigint, number, number][] = [
    [4096, 2n, 48, 0n, 0, 512],
    [4096, 2n, 39, 0n, 1, 512],
    [4096, 2n, 40, 0n, 0, 2],
    [4096, 2n, 25, 0n, 2, 16],
    [4096, 2n, 52, 1n, -1, 16],
    [4096, 2n, 49, 1n, -1, 2],
    [16384, 1n, 48, 0n, 0, 2],
    [16384, 1n, 47, 0n, 1, 2048],
    [16384, 1n, 36, 0n, 2, 2048],
    [16384, 1n, 52, 1n, 0, 32],
    [65536, 3n, 48, 0n, 1, 64],
    [65536, 3n, 52, 0n, 1, 1024],
    [65536, 3n, 42, 0n, 2, 8192],
    // With FEAT_TTST, down to one level and to the least number of bits.
    [4096, 2n, 21, 0n, 3, 512],
    [4096, 2n, 16, 0n, 3, 16],
    [65536, 3n, 17, 0n, 3, 2],
  ];
  for (const [granule, tg1, bits, ds, level, entries] of cases) {
    const regime = stage1Regime(registers(tcrOf({ tg1, ds, t1sz: BigInt(64 - bits) })), 'ttbr1');
    t.match(
      regime,
      { granule, inputBits: bits, startLevel: level, rootEntries: entries },
      `${granule} ${bits}`,
    );
    t.same(regime.malformed, []);
    t.equal(regime.base, 2n ** 64n - 2n ** BigInt(bits));
  }
  t.end();
});

t.test('TG0 and TG1 have different encodings', (t) => {
  const of = (bits: bigint) =>
    stage1Regime(registers({ TCR_EL1: 16n | (bits << 14n) | (5n << 32n) }), 'ttbr0').granule;
  t.same([0n, 1n, 2n].map(of), [4096, 65536, 16384]);
  const upper = (tg1: bigint) => stage1Regime(registers(tcrOf({ tg1 })), 'ttbr1').granule;
  t.same([1n, 2n, 3n].map(upper), [16384, 4096, 65536]);
  t.equal(stage1Regime(registers(), 'ttbr0').base, 0n);
  t.end();
});

t.test('output address size', (t) => {
  const of = (ips: bigint, tg1: bigint, ds: bigint) =>
    stage1Regime(registers(tcrOf({ ips, tg1, ds })), 'ttbr1').outputBits;
  t.same(
    [0n, 1n, 2n, 3n, 4n, 5n].map((ips) => of(ips, 2n, 0n)),
    [32, 36, 40, 42, 44, 48],
  );
  t.equal(of(6n, 2n, 0n), 48, '4K without DS stays at 48');
  t.equal(of(6n, 2n, 1n), 52, '4K with DS');
  t.equal(of(6n, 1n, 1n), 52, '16K with DS');
  t.equal(of(6n, 3n, 0n), 52, '64K needs no DS');
  t.equal(of(7n, 3n, 0n), 52, 'a reserved encoding counts as the most');
  const above = stage1Regime(registers(tcrOf({ tg1: 3n, more: 1n << 35n })), 'ttbr1');
  t.equal(above.outputBits, 48, 'bit 35 is no part of IPS');
  t.same(above.malformed, []);
  t.equal(
    stage1Regime(registers(tcrOf({ tg1: 3n, ds: 1n })), 'ttbr1').lpa2,
    false,
    'DS has no effect on 64K',
  );
  t.end();
});

t.test('first table: ASID and CnP are no part of its address', (t) => {
  const root = (TTBR1_EL1: bigint, changes = {}) =>
    stage1Regime(registers({ TTBR1_EL1, ...tcrOf(changes) }), 'ttbr1');
  t.equal(root(0xabcd_0000_4123_4001n).rootPa, 0x4123_4000);
  t.equal(rootAddress(0xabcd_0000_4123_4001n), 0x4123_4000);
  const wide = root(0xabcd_0000_4123_4001n | (0xan << 2n), { ips: 6n, ds: 1n });
  t.equal(wide.rootPa, 0xa * 2 ** 48 + 0x4123_4000);
  t.same(wide.malformed, []);
  const small = root(0x4123_4081n, { t1sz: 39n - 15n });
  t.equal(small.rootEntries, 2);
  t.equal(small.rootPa, 0x4123_4080, 'a table of two entries needs 16 bytes of alignment');
  t.equal(root(0x4123_4091n, { t1sz: 39n - 15n }).rootPa, 0x4123_4090);
  const leastWide = root(0x4123_4041n | (0xan << 2n), { t1sz: 15n, ips: 6n, ds: 1n });
  t.equal(leastWide.rootEntries, 2);
  t.equal(leastWide.rootPa, 0xa * 2 ** 48 + 0x4123_4040, '64 bytes, as bits 5:2 are not below it');
  t.same(leastWide.malformed, []);
  const smallWide = root(0x4123_40c1n, { t1sz: 12n, ips: 6n, ds: 1n });
  t.equal(smallWide.rootPa, 0x4123_4080, 'sixteen entries lie on a multiple of 128');
  t.match(smallWide.malformed, [{ reason: /not aligned to 128 bytes/ }]);
  const stray = root(0x4123_4021n);
  t.equal(stray.rootPa, 0x4123_4000);
  t.match(stray.malformed, [
    { reason: /not aligned to 4096 bytes/, descriptor: 0x4123_4021n, va: stray.base },
  ]);
  t.equal(stray.notWalked, undefined);
  t.same(root(0xffff_f000n, { ips: 0n }).malformed, [], 'the last table that fits');
  t.match(root(0x1_4123_4000n, { ips: 0n }), {
    notWalked: /does not fit into 32 bits/,
    malformed: [{ reason: /32 bits/ }],
  });
  t.end();
});

t.test('reserved register encodings are malformed entries', (t) => {
  const of = (changes: Partial<SystemRegisters>) => stage1Regime(registers(changes), 'ttbr1');
  t.match(of(tcrOf({ tg1: 0n })), {
    granule: 4096,
    notWalked: /TG1/,
    malformed: [{ reason: /TG1 has a reserved encoding/ }],
  });
  t.match(stage1Regime(registers({ TCR_EL1: 16n | (3n << 14n) }), 'ttbr0'), {
    malformed: [{ reason: /TG0/ }],
  });
  for (const t1sz of [0n, 11n, 15n, 49n, 63n]) {
    t.match(of(tcrOf({ t1sz })), {
      notWalked: /T1SZ/,
      malformed: [{ reason: /T1SZ is \d+, outside the 16 to 48/ }],
    });
  }
  t.match(of(tcrOf({ t1sz: 0n })), {
    startLevel: -1,
    malformed: [{ reason: 'TCR_EL1.T1SZ is 0, outside the 16 to 48 that 4K granules allow here.' }],
  });
  t.match(stage1Regime(registers({ TCR_EL1: 11n }), 'ttbr0'), {
    malformed: [{ reason: /^TCR_EL1.T0SZ is 11,/ }],
  });
  t.match(of(tcrOf({ t1sz: 11n, ds: 1n })), { malformed: [{ reason: /outside the 12 to 48/ }] });
  t.match(of(tcrOf({ t1sz: 48n, tg1: 3n })), { malformed: [{ reason: /outside the 12 to 47/ }] });
  const ips = of(tcrOf({ ips: 7n }));
  t.match(ips.malformed, [{ reason: /IPS has a reserved encoding/ }]);
  t.equal(ips.notWalked, undefined, 'and the tables are walked all the same');
  t.match(of({ TCR2_EL1: 1n << 5n }), { notWalked: /128-bit/, malformed: [{ reason: /D128/ }] });
  for (const [read, indirection] of [
    [{ PIR_EL1: 7n }, { el1: 7n, el0: 0n }],
    [{ PIRE0_EL1: 9n }, { el1: 0n, el0: 9n }],
  ] as const)
    t.match(of({ TCR2_EL1: 2n, ...read }), {
      indirection,
      malformed: [{ reason: /PIR_EL1 or PIRE0_EL1 was not read/ }],
    });
  t.match(of({ TCR2_EL1: 16n }), {
    malformed: [{ reason: /MAIR2_EL1 was not read/ }],
    memoryAttributes: Array(16).fill(0),
  });
  t.end();
});

t.test('a half that is not translated is no fault', (t) => {
  t.match(stage1Regime(registers({ SCTLR_EL1: 0n }), 'ttbr1'), {
    notWalked: /MMU is off/,
    malformed: { length: 0 },
  });
  const junk = { SCTLR_EL1: 0n, TTBR1_EL1: 0x4123_4ffen, TCR2_EL1: 16n };
  t.match(
    stage1Regime(registers(junk), 'ttbr1'),
    { rootPa: 0, malformed: { length: 0 } },
    'nobody looks at what its other registers say',
  );
  const disabled = registers(tcrOf({ more: 1n << 23n }));
  t.match(stage1Regime(disabled, 'ttbr1'), { notWalked: /EPD1/, malformed: { length: 0 } });
  t.equal(
    stage1Regime(disabled, 'ttbr0').notWalked?.includes('EPD'),
    false,
    'EPD1 is about the upper half alone',
  );
  t.match(stage1Regime(registers({ TCR_EL1: 16n | (1n << 7n) }), 'ttbr0'), {
    notWalked: /EPD0/,
    malformed: { length: 0 },
  });
  t.end();
});

t.test('control bits belong to their half', (t) => {
  const both = (bit: number) => {
    const changed = registers({ TCR_EL1: registers().TCR_EL1 | 16n | (1n << BigInt(bit)) });
    return [stage1Regime(changed, 'ttbr0'), stage1Regime(changed, 'ttbr1')];
  };
  t.same(
    both(37).map((regime) => regime.topByteIgnored),
    [true, false],
  );
  t.same(
    both(38).map((regime) => regime.topByteIgnored),
    [false, true],
  );
  t.same(
    both(41).map((regime) => regime.hierarchyDisabled),
    [true, false],
  );
  t.same(
    both(42).map((regime) => regime.hierarchyDisabled),
    [false, true],
  );
  t.same(
    both(39).map((regime) => regime.hardwareAccessFlag),
    [true, true],
  );
  t.equal(given(both(40)[1]).hardwareDirty, false, 'HD has no effect without HA');
  const { TCR_EL1 } = registers();
  t.equal(stage1Regime(registers({ TCR_EL1: TCR_EL1 | (3n << 39n) }), 'ttbr1').hardwareDirty, true);
  t.equal(
    stage1Regime(registers({ SCTLR_EL1: 1n | (1n << 19n) }), 'ttbr1').writeExecuteNever,
    true,
  );
  const indirect = stage1Regime(registers({ TCR2_EL1: 2n, PIR_EL1: 7n, PIRE0_EL1: 9n }), 'ttbr1');
  t.match(indirect, {
    indirection: { el1: 7n, el0: 9n },
    hierarchyDisabled: true,
    malformed: { length: 0 },
  });
  const extended = stage1Regime(
    registers({ TCR2_EL1: 16n, MAIR_EL1: 0xffn, MAIR2_EL1: 0x44n << 56n }),
    'ttbr1',
  );
  t.same(extended.memoryAttributes, [0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x44]);
  t.same(extended.malformed, []);
  t.end();
});
