// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { formatPtdump } from '../../src/linux/format-ptdump.ts';
import { kernelRegions } from '../../src/linux/kernel-regions.ts';
import { stage1Regime } from '../../src/vmsa/regime.ts';
import type { LeafRun } from '../../src/vmsa/types.ts';

const registers = {
  TTBR0_EL1: 0n,
  TTBR1_EL1: 0x4000_0000n,
  TCR_EL1: (16n << 16n) | (2n << 30n) | (5n << 32n),
  MAIR_EL1: 0x04_44_f0_ffn,
  SCTLR_EL1: 1n,
};
const regime = stage1Regime(registers, 'ttbr1');
const base = regime.base;

const run = (changes: Partial<LeafRun>): LeafRun => ({
  va: base,
  pa: 0x4000_0000,
  size: 4096,
  level: 3,
  contiguous: false,
  valid: true,
  attributes: 0x0068_0000_0000_0f03n,
  tableAttributes: 0,
  ...changes,
});

t.test('regions of a 48-bit kernel with 4K pages', (t) => {
  // Documentation/arch/arm64/memory.rst of the kernel gives the same addresses.
  t.same(
    kernelRegions(48, 4096).map(({ start }) => start.toString(16)),
    [
      'ffff000000000000',
      'ffff800000000000',
      'ffff800080000000',
      'fffffdffc0000000',
      'ffffffffc0000000',
      'ffffffffc1800000',
    ],
  );
  t.end();
});

t.test('one line for each run, hole, region and malformed entry, and a summary', (t) => {
  const leaves = [
    run({ size: 2 * 2 ** 20, attributes: 0x0060_0000_0000_0f83n }),
    run({
      va: base + 2n ** 21n,
      size: 64 * 1024,
      contiguous: true,
      attributes: 0x0078_0000_0000_0f07n,
    }),
    run({
      va: base + 2n ** 30n,
      size: 2 ** 21,
      level: 2,
      valid: false,
      attributes: 0x0060_0000_0000_0f00n,
    }),
    run({
      va: base + 2n ** 47n,
      size: 2 ** 25,
      level: 2,
      contiguous: true,
      attributes: 0x0050_0000_0000_0781n,
    }),
    run({ va: 2n ** 64n - 4096n, pa: 0x900_0000, attributes: 0x0068_0000_0000_0c0fn }),
  ];
  const malformed = [
    {
      va: base + 2n ** 29n,
      level: 2 as const,
      at: 0x4100_0ff8,
      descriptor: 0x123n,
      reason: 'It is odd.',
    },
  ];
  const lines = [
    ...formatPtdump(regime, { leaves, tables: [], malformed }, kernelRegions(48, 4096)),
  ];
  t.same(lines, [
    '---[ Linear mapping ]---',
    '0xffff000000000000-0xffff000000200000           2M PTE      pa 0x000040000000 r-- --- ISH AF NG    Normal-WB',
    '0xffff000000200000-0xffff000000210000          64K CONT PTE pa 0x000040000000 rw- --- ISH AF NG    Normal-Tagged',
    '0xffff000000210000-0xffff000020000000      522176K hole',
    '!! 0xffff000020000000 level 2 at pa 0x41000ff8, 0x0000000000000123: It is odd.',
    '0xffff000020000000-0xffff000040000000         512M hole',
    '0xffff000040000000-0xffff000040200000           2M PMD      pa 0x000040000000 INVALID ISH AF NG    Normal-WB',
    '---[ Modules ]---',
    '0xffff800000000000-0xffff800002000000          32M CONT PMD pa 0x000040000000 r-x --- ISH AF       Normal-WB',
    '---[ Fixmap ]---',
    '0xfffffffffffff000-0x0000000000000000           4K PTE      pa 0x000009000000 rw- --- NSH AF NG    Device-nGnRE',
    '4K granule, 48-bit addresses: 5 runs, 0 tables, 1 malformed; page 2052K, contPte 64K, contPmd 32M, invalid 2M',
  ]);
  t.end();
});

t.test('what is not walked says why', (t) => {
  const off = stage1Regime({ ...registers, SCTLR_EL1: 0n }, 'ttbr1');
  const [first] = formatPtdump(off, { leaves: [], tables: [], malformed: [] });
  t.equal(first, 'Not walked: The MMU is off (SCTLR_EL1.M is 0).');
  t.end();
});

t.test('guarded pages, dirty state and LPA2', (t) => {
  const dirty = stage1Regime(
    { ...registers, TCR_EL1: registers.TCR_EL1 | (3n << 39n) | (1n << 59n) },
    'ttbr1',
  );
  const attributes = (1n << 51n) | (1n << 50n) | 0x0060_0000_0000_0483n;
  const [line] = formatPtdump(dirty, { leaves: [run({ attributes })], tables: [], malformed: [] });
  t.match(line, / pa 0x000040000000 rd- --- {5}AF {4}GP Normal-WB$/);
  t.end();
});
