// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import {
  kernelPtes,
  kernelRoot,
  operandOf,
  otherPtes,
  Steps,
  userPmds,
  userPtes,
  userRoot,
} from './steps.ts';

const table = (pa: number) => BigInt(pa) | 3n;
/** A page of the kernel, and one of user space: nG, for EL0. */
const page = 0xe8_0000_4021_0703n;
const userPage = 0xe0_0000_4021_0f43n;
const contiguous = 1n << 52n;
const kernelVa = 0xffff_ffff_c000_0000n;

/** The kernel's tables on one CPU, with one page. */
const kernel = (entries: Record<number, bigint> = { 0: page }) =>
  new Steps()
    .table(kernelRoot, 2, true, { 0: table(kernelPtes) })
    .table(kernelPtes, 3, true, entries)
    .write('ttbr1', BigInt(kernelRoot));

/** Also a process of this ASID, whose root is of level 1; TCR_EL1.A1 is set, as Linux has it. */
const user = (asid: bigint, entries: Record<number, bigint> = { 0: userPage }) =>
  kernel()
    .write('tcr', (1n << 22n) | (2n << 30n))
    .table(userRoot, 1, false, { 0: table(userPmds) })
    .table(userPmds, 2, false, { 0: table(userPtes) })
    .table(userPtes, 3, false, entries)
    .write('ttbr1', BigInt(kernelRoot) | (asid << 48n))
    .write('ttbr0', BigInt(userRoot));

t.test('memory types that MAIR makes equal', (t) => {
  const of = (mair: bigint) =>
    kernel()
      .write('mair', mair)
      .store(kernelPtes, 0, page | (1n << 2n))
      .faults();
  t.same(of(0xffffn), []);
  t.same(of(0x44ffn), ['another memory type: live']);
  t.end();
});

t.test('a root of less than a page, with others in the same page', (t) => {
  const of = (root: number) =>
    kernel()
      .table(root, 1, false, { 0: table(userPmds) })
      .table(userPmds, 2, false, {})
      .write('ttbr0', BigInt(root))
      .store(root, 0, table(userPtes))
      .faults();
  t.same(of(userRoot + 128), ['another table: live']);
  t.end();
});

t.test('no CPU translates: its MMU is off, or it has another root', (t) => {
  const of = (sctlr: bigint) =>
    new Steps()
      .write('sctlr', sctlr)
      .table(kernelRoot, 2, true, { 0: table(kernelPtes) })
      .table(kernelPtes, 3, true, { 0: page })
      .write('ttbr1', BigInt(kernelRoot))
      .store(kernelPtes, 0, page + 0x1000n)
      .faults();
  t.same(of(0n), []);
  t.same(of(1n), ['another output address: live']);
  t.end();
});

t.test('a root that is left and freed, such as init_pg_dir: its tables may go', (t) => {
  const steps = kernel()
    .table(otherPtes, 2, true, { 0: table(kernelPtes) })
    .write('ttbr1', BigInt(otherPtes))
    .unlink(kernelRoot)
    .write('vmalle1is', 0n)
    .store(otherPtes, 1, table(kernelRoot))
    .table(kernelRoot, 3, true, { 0: page + 0x5000n });
  t.same(steps.faults(), []);
  t.end();
});

t.test(
  'the end of a process: its pages are unmapped, and only its walk caches invalidated',
  (t) => {
    const end = (asid: bigint) =>
      user(1n)
        .store(userPtes, 0, 0n)
        .store(userPmds, 0, 0n)
        .unlink(userPtes)
        .barriers('dsb ishst')
        .write('aside1is', asid << 48n)
        .barriers('dsb ish')
        .store(kernelRoot, 1, table(userPtes))
        .table(userPtes, 3, true, { 3: page });
    t.same(end(1n).faults(), []);
    t.same(end(2n).faults(), ['a freed table becomes another one: a TLBI of every ASID']);
    t.end();
  },
);

t.test('a page that comes and goes, as KFENCE does with it', (t) => {
  const steps = kernel();
  for (let times = 0; times < 3; times++)
    steps.store(kernelPtes, 0, page - 1n).store(kernelPtes, 0, page);
  t.same(steps.faults(), []);
  t.end();
});

t.test('lazy vunmap: the TLBI comes late, but before the address has another page', (t) => {
  const unmapped = (invalidate: boolean) => {
    const steps = kernel({ 0: page, 1: page + 0x1000n, 2: page + 0x2000n });
    for (const index of [0, 1, 2]) steps.store(kernelPtes, index, 0n);
    // Others are mapped and unmapped in the meantime.
    steps.store(kernelPtes, 9, page).store(kernelPtes, 9, 0n).barriers('dsb ishst');
    steps.write('vaale1is', operandOf(kernelVa + 0x9000n)).barriers('dsb ish');
    if (invalidate) steps.write('vmalle1is', 0n).barriers('dsb ish');
    for (const index of [0, 1, 2]) steps.store(kernelPtes, index, page + 0x8000n);
    return steps.faults();
  };
  t.same(unmapped(true), []);
  t.same(unmapped(false), ['another output address: a TLBI']);
  t.end();
});

t.test('contpte folds and unfolds without a TLBI where FEAT_BBM is of level 2', (t) => {
  const fold = () => {
    const entries = Array.from({ length: 16 }, (_, at) => userPage + BigInt(at) * 0x1000n);
    const steps = user(1n, { ...entries });
    for (const at of entries.keys()) steps.store(userPtes, at, 0n);
    for (const [at, entry] of entries.entries()) steps.store(userPtes, at, entry | contiguous);
    return steps;
  };
  t.match(fold().check([2]), [
    { reason: 'the contiguous bit changes', counts: [16, 16, 0, 0], claimed: 0 },
  ]);
  t.match(fold().check([1]), [{ claimed: 16 }]);
  t.end();
});

t.test('access flag and dirty state, however they change', (t) => {
  const flags = [1n << 10n, 1n << 7n, 1n << 51n, 1n << 55n];
  const steps = kernel();
  for (const flag of flags) steps.store(kernelPtes, 0, page ^ flag).store(kernelPtes, 0, page);
  t.same(steps.faults(), []);
  t.end();
});

t.test('what CPUs claim counts for as long as they translate', (t) => {
  const steps = kernel()
    .store(kernelPtes, 0, page | contiguous)
    .cpu(1)
    .write('sctlr', 0n)
    .write('ttbr1', BigInt(kernelRoot))
    .cpu(0)
    .store(kernelPtes, 0, page)
    .cpu(1)
    .write('sctlr', 1n)
    .cpu(0)
    .store(kernelPtes, 0, page | contiguous);
  t.match(steps.check([2, 0]), [{ counts: [3, 3, 0, 0], claimed: 1 }]);
  t.match(steps.check([2, 2]), [{ claimed: 0 }]);
  t.match(steps.check([0, 2]), [{ claimed: 3 }]);
  t.end();
});

t.test(
  'a page of user space: of its ASID, on all CPUs that ran it, and under KPTI of both',
  (t) => {
    const remap = (asids: bigint[], insn: 'vale1is' | 'vale1', ...switches: [number, bigint][]) => {
      const steps = user(2n);
      for (const [cpu, asid] of switches)
        steps
          .cpu(cpu)
          .write('tcr', (1n << 22n) | (2n << 30n))
          .write('ttbr1', BigInt(kernelRoot) | (asid << 48n))
          .write('ttbr0', BigInt(userRoot));
      steps.cpu(0).store(userPtes, 0, 0n).barriers('dsb ishst');
      for (const asid of asids) steps.write(insn, operandOf(0n, asid));
      return steps
        .barriers('dsb ish')
        .store(userPtes, 0, userPage + 0x1000n)
        .faults();
    };
    const address = 'another output address';
    t.same(remap([2n], 'vale1is'), []);
    t.same(remap([2n], 'vale1'), [], 'no other CPU has run it');
    t.same(remap([2n], 'vale1', [1, 2n]), [`${address}: a TLBI that reaches all CPUs`]);
    t.same(remap([2n], 'vale1is', [1, 2n]), []);
    t.same(remap([4n], 'vale1is'), [`${address}: a TLBI of every ASID`]);
    t.same(remap([2n], 'vale1is', [0, 3n]), [`${address}: a TLBI of every ASID`]);
    t.same(remap([2n, 3n], 'vale1is', [0, 3n]), []);
    t.end();
  },
);

t.test('a page of a freed table that is a table again while walk caches lead to it', (t) => {
  const reuse = (steps: readonly ('dsb ishst' | 'vaae1is' | 'vaale1is' | 'dsb ish')[]) => {
    const all = kernel({ 0: 0n }).store(kernelRoot, 0, 0n).unlink(kernelPtes);
    for (const step of steps)
      if (step.startsWith('dsb')) all.barriers(step);
      else all.write(step, operandOf(kernelVa));
    return all
      .store(kernelRoot, 5, table(kernelPtes))
      .table(kernelPtes, 3, true, { 7: page })
      .faults();
  };
  const freed = 'a freed table becomes another one';
  t.same(reuse(['dsb ishst', 'vaae1is', 'dsb ish']), []);
  t.same(reuse(['dsb ishst', 'vaale1is', 'dsb ish']), [`${freed}: a TLBI of walk caches, too`]);
  t.same(reuse(['dsb ishst', 'vaae1is']), [`${freed}: a DSB after the TLBI`]);
  t.same(reuse([]), [`${freed}: a DSB between the break and the TLBI`]);
  t.end();
});

t.test('a block and the table that takes its place, at level 2: the same translations', (t) => {
  const block = 0xe8_0000_4040_0701n;
  const pages = (change: bigint) =>
    Object.fromEntries(
      Array.from({ length: 512 }, (_, at) => [at, (block | 2n) + BigInt(at) * 0x1000n + change]),
    );
  const split = (change: bigint) =>
    new Steps()
      .table(kernelRoot, 2, true, { 0: block })
      .write('ttbr1', BigInt(kernelRoot))
      .store(kernelRoot, 0, table(kernelPtes))
      .table(kernelPtes, 3, true, pages(change));
  t.match(split(0n).check(), [{ counts: [1, 1, 0, 0] }]);
  t.match(split(contiguous).check(), [{ counts: [1, 1, 0, 0] }]);
  const moved = split(0x1000n).check();
  t.match(
    moved.find(({ reason }) => reason === 'another output address'),
    { counts: [1, 1, 1, 1] },
  );
  t.end();
});

t.test('a table that goes while its pages are valid: each of them must leave the TLB', (t) => {
  const replace = (insn: 'vaae1is' | 'vmalle1is') =>
    kernel({ 0: page, 1: page + 0x1000n })
      .store(kernelRoot, 0, 0n)
      .unlink(kernelPtes)
      .barriers('dsb ishst')
      .write(insn, operandOf(kernelVa))
      .barriers('dsb ish')
      .store(kernelRoot, 0, table(otherPtes))
      .table(otherPtes, 3, true, { 1: page + 0x5000n })
      .faults();
  t.same(replace('vmalle1is'), []);
  t.same(replace('vaae1is'), ['another output address: a TLBI']);
  t.end();
});
