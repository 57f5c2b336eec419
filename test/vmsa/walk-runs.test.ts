// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { PtdiffError } from '../../src/errors.ts';
import { stage1Regime } from '../../src/vmsa/regime.ts';
import { type DescriptorRun, walkRuns } from '../../src/vmsa/walk-runs.ts';
import { encodeRegisters } from './encode.ts';
import { PAGE, setup, TABLE } from './tree.ts';

const GIB = 2 ** 30;

/** A root for 48 bits, and as many pages of 4K below it as cover these bytes. */
function pagesOf(bytes: number): {
  regime: ReturnType<typeof stage1Regime>;
  runs: DescriptorRun[];
} {
  const made = setup({ half: 'ttbr1', vaBits: 48 });
  const regime = stage1Regime(encodeRegisters(made, 0x1000n), 'ttbr1');
  const va = regime.base;
  const tables = (level: 0 | 1 | 2, size: number, at: bigint): DescriptorRun => ({
    level,
    va,
    count: Math.ceil(bytes / size),
    descriptor: at | TABLE,
    stride: 4096n,
  });
  const runs: DescriptorRun[] = [
    tables(0, 512 * GIB, 0x1_0000n),
    tables(1, GIB, 0x10_0000n),
    tables(2, 2 ** 21, 0x1000_0000n),
    { level: 3, va, count: bytes / 4096, descriptor: 0x80_0000_0000n | PAGE, stride: 4096n },
  ];
  return { regime, runs };
}

t.test('a terabyte in pages is one run of leaves, and is not spelt out', (t) => {
  const { regime, runs } = pagesOf(1024 * GIB);
  const { leaves, tables, malformed } = walkRuns(regime, runs);
  // A walk that goes wrong has millions of them: they are counted, never printed.
  t.equal(malformed.length, 0);
  t.equal(leaves.length, 1);
  t.match(leaves[0], { va: regime.base, pa: 0x80_0000_0000, size: 1024 * GIB, level: 3 });
  t.equal(tables.length, 1 + 2 + 1024 + 1024 * 512);
  t.end();
});

t.test('what breaks a run in the middle of many tables is found', (t) => {
  const { regime, runs } = pagesOf(4 * GIB);
  const pages = runs[3] as DescriptorRun;
  const odd = 777_777;
  const va = pages.va + BigInt(odd * 4096);
  const descriptor = pages.descriptor + BigInt(odd * 4096);
  const cut = [
    { ...pages, count: odd },
    { ...pages, va, count: 1, descriptor: descriptor ^ (1n << 7n) },
    {
      ...pages,
      va: va + 4096n,
      count: pages.count - odd - 1,
      descriptor: descriptor + 4096n,
    },
  ];
  const { leaves } = walkRuns(regime, [...runs.slice(0, 3), ...cut]);
  t.equal(leaves.length, 3);
  t.same(
    leaves.slice(0, 3).map(({ size }) => size / 4096),
    [odd, 1, pages.count - odd - 1],
  );
  t.equal(leaves[1]?.va, va);
  t.end();
});

t.test('runs that no table can hold are refused, each in a sentence', (t) => {
  const { regime, runs } = pagesOf(GIB);
  const pages = runs[3] as DescriptorRun;
  const refused: [string, RegExp, DescriptorRun[]][] = [
    ['below the half', /lies outside/, [{ ...pages, va: 0n }]],
    ['between two entries', /lies outside/, [{ ...pages, va: pages.va + 8n }]],
    ['beyond the half', /lies outside/, [{ ...pages, count: 2 ** 40 }]],
    ['a level above the root', /lies outside/, [{ ...pages, level: -1, count: 1 }]],
    ['overlapping', /overlaps/, [pages, { ...pages, va: pages.va + 4096n }]],
    ['out of order', /overlaps/, [{ ...pages, va: pages.va + BigInt(8 * GIB) }, pages]],
  ];
  for (const [what, message, list] of refused) {
    t.throws(() => walkRuns(regime, list), PtdiffError, what);
    t.throws(() => walkRuns(regime, list), { message }, what);
  }
  t.end();
});

t.test('a table of one page again and again continues a run for one entry only', (t) => {
  const { regime, runs } = pagesOf(4 * 2 ** 20);
  const pages = runs[3] as DescriptorRun;
  const next = { va: pages.va + 0x20_0000n, descriptor: pages.descriptor + 0x20_0000n };
  const halves = [
    { ...pages, count: 512 },
    { ...pages, ...next, count: 512, stride: 0n },
  ];
  const { leaves } = walkRuns(regime, [...runs.slice(0, 3), ...halves]);
  t.equal(leaves.length, 512);
  t.equal(leaves[0]?.size, 513 * 4096);
  t.match(leaves.at(-1), { pa: 0x80_0020_0000, size: 4096 });
  t.end();
});

t.test('an address is carried into the high word of an entry that is not valid', (t) => {
  const { regime, runs } = pagesOf(8192);
  const pages = { ...(runs[3] as DescriptorRun), descriptor: 0xffff_f000n | (1n << 54n) };
  const { leaves } = walkRuns(regime, [...runs.slice(0, 3), pages]);
  t.equal(leaves.length, 1);
  t.match(leaves[0], { pa: 0xffff_f000, size: 8192, valid: false });
  t.end();
});

t.test('a descriptor whose lower word is all ones carries nothing to the upper one', async (t) => {
  const { regime, runs } = pagesOf(8192);
  // Pages at 0xffffe000 and 0xfffff000 with every lower attribute set.
  const descriptor = 0xffff_efffn;
  const pages = { ...(runs[3] as DescriptorRun), descriptor };
  const { leaves } = walkRuns(regime, [...runs.slice(0, 3), pages]);
  t.match(leaves, [{ pa: 0xffff_e000, size: 8192, level: 3 }]);
  t.equal(leaves.length, 1);
});
