// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import type { LeafDifference } from '../../src/diff/compare.ts';
import { slug } from '../../src/diff/finding-id.ts';
import { foldDifferences } from '../../src/diff/fold.ts';
import { stage1Regime } from '../../src/vmsa/regime.ts';
import type { LeafRun, SystemRegisters } from '../../src/vmsa/types.ts';
import { given } from '../given.ts';
import { bits, CONT, KiB, MiB, NG, prot, RDONLY, registers, run, USER } from './synthetic.ts';

const direct = stage1Regime(registers, 'ttbr1');
/** Linux's PIE_E1: index e is read and write, c read, 8 read and execute, a all three. */
const withPie: SystemRegisters = {
  ...registers,
  TCR2_EL1: 2n,
  PIR_EL1: 0xcc880e0ac0800000n,
  PIRE0_EL1: 0n,
};
const base = 0xffff_0000_0000_0000n;

function difference(
  want: bigint,
  have: bigint,
  change: Partial<LeafRun> = {},
  page = 0,
  why = 'kernel text alias',
): LeafDifference {
  const [va, pa] = [base + BigInt(page * 4096), 0x4000_0000 + page * 4096];
  return {
    expected: { ...run(va, pa, 4096, want), why, alternatives: [] },
    actual: run(va, pa, 4096, have, change),
  };
}

function natureOf(one: LeafDifference, regime = direct): string {
  const { id } = given(foldDifferences([one], regime, 'init')[0]);
  return id.replace(/^mismatch\/linear-map\/kernel-text-alias\//, '').replace(/@init$/, '');
}

t.test('the nature of a difference has a fixed name', (t) => {
  const { data, readOnly, text } = prot;
  const block = { level: 2, attributes: data & ~2n } as const;
  const natures: [LeafDifference, string][] = [
    [difference(readOnly, data), 'writable'],
    [difference(data, readOnly), 'read-only'],
    [difference(data, text), 'read-only+executable'],
    [difference(readOnly, text), 'executable'],
    [difference(text, readOnly), 'not-executable'],
    [difference(data, (data & ~1n) | NG), 'invalid'],
    [difference((data & ~1n) | NG, data), 'valid'],
    [difference(data, data | NG), 'non-global'],
    [difference(data | NG, data), 'global'],
    [difference(data, data & ~bits.AF), 'no-access-flag'],
    [difference(data, data | (2n << 2n)), 'memory-type'],
    [difference(data, data & ~bits.INNER), 'shareability'],
    [difference(data, data | USER), 'user-rights'],
    [difference(data, data & ~bits.DBM), 'dbm-bit'],
    [difference(data, data | (1n << 58n)), 'other-bits'],
    [difference(data, data & ~(1n << 55n)), 'not-software-dirty'],
    [difference(data, data, { pa: 0x5000_0000 }), 'wrong-address'],
    [difference(data, data, { tableAttributes: 1 }), 'table-attributes'],
    [difference(data, data, block), 'larger-leaves'],
    [difference(data, data | CONT), 'larger-leaves'],
    [difference(data | CONT, data), 'smaller-leaves'],
    [difference(data | CONT, readOnly), 'smaller-leaves+read-only'],
  ];
  for (const [one, nature] of natures) t.equal(natureOf(one), nature);
  t.end();
});

t.test('rights are the effective ones under permission indirection', (t) => {
  const regime = stage1Regime(withPie, 'ttbr1');
  t.equal(natureOf(difference(prot.readOnly, prot.data), regime), 'writable');
  t.equal(natureOf(difference(prot.readOnly, prot.text), regime), 'executable');
  t.equal(
    natureOf(difference(prot.data, prot.data | RDONLY), regime),
    'read-only',
    'nDirty withholds write permission',
  );
  t.end();
});

t.test('leaves are folded by reason and nature, in a stable order', (t) => {
  const differences = [
    difference(prot.readOnly, prot.data, {}, 1),
    difference(prot.readOnly, prot.data, {}, 3),
    difference(prot.data, prot.readOnly, {}, 5, 'memory'),
    {
      expected: {
        ...run(base + 0x10_0000n, 0x4010_0000, 64 * KiB, prot.data),
        why: 'memory',
        alternatives: [],
      },
    },
    { actual: run(base + 0x20_0000n, 0x4020_0000, 2 * MiB, prot.data & ~2n, { level: 2 }) },
    { actual: run(base + 0x80_0000n, 0x4080_0000, 4096, prot.data & ~1n) },
  ];
  const findings = foldDifferences(differences, direct, 'init');
  t.same(
    findings.map(({ id }) => id),
    [
      'mismatch/linear-map/kernel-text-alias/writable@init',
      'mismatch/linear-map/memory/missing@init',
      'mismatch/linear-map/memory/read-only@init',
      'mismatch/linear-map/nothing-predicted/unpredicted-invalid@init',
      'mismatch/linear-map/nothing-predicted/unpredicted@init',
    ],
  );
  const first = given(findings[0]);
  t.equal(first.title, 'linear map, kernel text alias: writable');
  t.match(first.detail, /^2 leaves, 8 KiB\. Prediction: kernel text alias/);
  t.match(first.detail, /0xffff000000001000-0xffff000000002000 \(4 KiB\)/);
  t.match(
    first.detail,
    /expected PA 0x40001000 pages \(4 KiB\), valid, EL1 r--.*Normal-WB.*global.*dirty/s,
  );
  t.match(first.detail, /found +PA 0x40001000 pages \(4 KiB\), valid, EL1 rw-/);
  for (const { detail } of findings) t.ok(detail.split('\n').every((line) => line.length <= 100));
  t.end();
});

t.test('two indices of one memory type are told apart in words', (t) => {
  const tagged = prot.data | 4n;
  const detail = (mair: bigint) => {
    const regime = stage1Regime({ ...registers, MAIR_EL1: mair }, 'ttbr1');
    return given(foldDifferences([difference(prot.data, tagged)], regime, 'init')[0]).detail;
  };
  t.match(detail(0x04_00_44_f0_ffn), /expected .*Normal-WB,.*found .*Normal-Tagged,/s);
  t.match(
    detail(0x04_00_44_ff_ffn),
    /expected .*Normal-WB \(AttrIndx 0\),.*found .*Normal-WB \(AttrIndx 1\),/s,
  );
  t.end();
});

t.test('an id does not depend on how many block sizes the memory allowed', (t) => {
  const pages = difference(prot.data, prot.data, {}, 0, 'memory');
  const block = {
    ...pages.expected,
    ...run(base, 0x4000_0000, 2 * MiB, prot.data & ~2n, { level: 2 }),
  };
  const mixed = [
    {
      expected: { ...block, why: 'memory', alternatives: [] },
      actual: run(base, 0x4000_0000, 2 * MiB, prot.data),
    },
    difference(prot.data | CONT, prot.data, {}, 1024, 'memory'),
  ];
  const [finding, ...more] = foldDifferences(mixed, direct, 'init');
  t.same(more, []);
  t.equal(finding?.id, 'mismatch/linear-map/memory/smaller-leaves@init');
  t.equal(finding?.title, 'linear map, memory: pages instead of PMD blocks, contiguous pages');
  t.end();
});

t.test('slugs drop what differs between days and machines', (t) => {
  t.equal(slug('kernel text alias'), 'kernel-text-alias');
  t.equal(slug('KFENCE pool at 0x40000000, 2 MiB'), 'kfence-pool-at');
  t.equal(slug('read-only vmalloc page: alias under rodata_full (6.18)'), 'read-only-vmalloc-page');
  t.equal(slug('Entry 3 of v7.1 is 0b01.'), 'entry-of-is');
  t.equal(slug('0x1000'), 'unnamed');
  t.end();
});
