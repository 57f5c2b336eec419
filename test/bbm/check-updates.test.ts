// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import t from 'tap';
import { readRecording } from '../../results/recording-file.ts';
import { checkUpdates } from '../../src/bbm/check-updates.ts';
import { UpdateRules } from '../../src/bbm/update-rules.ts';
import { RecordingReader } from '../../src/evidence/recording-reader.ts';
import { recordedKernel } from '../diff/refinement/recorded-kernel.ts';
import { given } from '../given.ts';
import { type Insn, kernelPtes, kernelRoot, operandOf, otherPtes, Steps } from './steps.ts';

type Step = 'break' | 'make' | 'again' | 'unlink' | 'relink' | 'CPU 1' | 'unmasked' | Insn;

const page = 0xe8_0000_4021_0703n;
const table = (pa: number) => BigInt(pa) | 3n;
/** First virtual address of a root of level 2 with 512 entries: 2^64 - 2^30. */
const first = 0xffff_ffff_c000_0000n;

/**
 * What comes of the steps, with one page of a table of level 3, whose root is of level 2: the page
 * is broken, and made again at another address, or unchanged.
 */
function outcome(steps: readonly Step[], cpus = [1, 0]): string[] {
  const all = new Steps()
    .table(kernelRoot, 2, true, { 0: table(kernelPtes) })
    .table(kernelPtes, 3, true, { 0: page });
  for (const cpu of cpus) all.cpu(cpu).write('ttbr1', BigInt(kernelRoot));
  for (const step of steps) {
    if (step === 'break') all.store(kernelPtes, 0, 0n);
    else if (step === 'make') all.store(kernelPtes, 0, page + 0x1000n);
    else if (step === 'again') all.store(kernelPtes, 0, page | (1n << 7n));
    else if (step === 'unlink') all.store(kernelRoot, 0, 0n).unlink(kernelPtes);
    else if (step === 'relink') all.store(kernelRoot, 0, table(otherPtes));
    else if (step === 'CPU 1') all.cpu(1);
    // As kpti_map_pgtbl of proc.S has it: the upper bits of the address are a hint.
    else if (step === 'unmasked') all.write('vaae1is', first >> 12n);
    else if (step.startsWith('dsb') || step === 'isb') all.barriers(step);
    else all.write(step, step.startsWith('vmalle1') ? 0n : operandOf(first));
  }
  return all.faults();
}

const address = 'another output address';

t.test('break, DSB, TLBI, DSB, make; and each of them left out or in another place', (t) => {
  for (const [steps, expected] of [
    [['break', 'dsb ishst', 'vaale1is', 'dsb ish', 'make'], []],
    [['make'], [`${address}: live`]],
    [['again'], []],
    [['break', 'again'], []],
    [['break', 'vaale1is', 'dsb ish', 'make'], [`${address}: a TLBI after the first DSB`]],
    [['break', 'dsb ishst', 'dsb ish', 'make'], [`${address}: a TLBI`]],
    [['break', 'dsb ishst', 'vaale1is', 'make'], [`${address}: a DSB after the TLBI`]],
    [['break', 'dsb ishst', 'vaale1is', 'isb', 'make'], [`${address}: a DSB after the TLBI`]],
    [['break', 'dsb ishst', 'vaale1is', 'dsb ishst', 'make'], [`${address}: a DSB after the TLBI`]],
    [
      ['break', 'dsb ishst', 'unmasked', 'dsb ish', 'make'],
      [`${address}: a TLBI whose hint is right`],
    ],
    [['break', 'vaale1is', 'make'], [`${address}: a DSB between the break and the TLBI`]],
    // A DSB of loads orders no store, and one for its own CPU reaches no other.
    [
      ['break', 'dsb ishld', 'vaale1is', 'make'],
      [`${address}: a DSB between the break and the TLBI`],
    ],
    [
      ['break', 'dsb nshst', 'vaale1is', 'make'],
      [`${address}: a DSB between the break and the TLBI`],
    ],
    [['break', 'dsb ishst', 'vaale1is', 'dsb nsh', 'make'], [`${address}: a DSB after the TLBI`]],
    [
      ['break', 'dsb ishst', 'vmalle1', 'dsb ish', 'make'],
      [`${address}: a TLBI that reaches all CPUs`],
    ],
    // As in local_flush_tlb_all(): what its own CPU needs is done, in the right order.
    [
      ['break', 'dsb nshst', 'vmalle1', 'dsb nsh', 'dsb ish', 'make'],
      [`${address}: a TLBI that reaches all CPUs`],
    ],
    [
      ['break', 'dsb nshst', 'vmalle1', 'dsb nsh', 'make'],
      [`${address}: a DSB between the break and the TLBI`],
    ],
    [['break', 'dsb nshst', 'vmalle1', 'dsb ish', 'vaale1is', 'dsb ish', 'make'], []],
    [
      ['break', 'dsb nshst', 'CPU 1', 'vmalle1', 'dsb nsh', 'dsb ish', 'make'],
      [`${address}: a DSB between the break and the TLBI`],
    ],
    // Of each CPU by itself it is one of all.
    [['break', 'dsb ishst', 'vmalle1', 'dsb ish', 'CPU 1', 'vmalle1', 'dsb ish', 'make'], []],
    // A TLBI by ASID does not reach all translations of the kernel's half.
    [['break', 'dsb ishst', 'aside1is', 'dsb ish', 'make'], [`${address}: a TLBI`]],
    // The DSB must be that of the CPU that broke the entry, and of the one that sent the TLBI.
    [
      ['break', 'CPU 1', 'dsb ishst', 'vaale1is', 'dsb ish', 'make'],
      [`${address}: a DSB between the break and the TLBI`],
    ],
    [
      ['break', 'dsb ishst', 'vaale1is', 'CPU 1', 'dsb ish', 'make'],
      [`${address}: a DSB after the TLBI`],
    ],
    // The page that the table held must go from the TLB, too.
    [['unlink', 'dsb ishst', 'vaae1is', 'dsb ish', 'relink'], []],
    [
      ['unlink', 'dsb ishst', 'vaale1is', 'dsb ish', 'relink'],
      ['another table: a TLBI of walk caches, too'],
    ],
    [['relink'], ['another table: live']],
  ] as const)
    t.same(outcome(steps), expected, steps.join(', '));
  t.end();
});

t.test('on one CPU, what is for its own CPU is enough', (t) => {
  t.same(outcome(['break', 'dsb nshst', 'vmalle1', 'dsb nsh', 'make'], [0]), []);
  t.same(outcome(['break', 'dsb nshst', 'vmalle1', 'isb', 'make'], [0]), [
    `${address}: a DSB after the TLBI`,
  ]);
  t.end();
});

t.test('a recorded boot with some of its TLBIs or DSBs left out', (t) => {
  const recording = given(readRecording(join(import.meta.dirname, '../report/fixtures/recording')));
  const without = (kind: 'tlbi' | 'barrier', each: number) => {
    const missing = new Map<string | undefined, number>();
    const rules = new UpdateRules([2], (violation) => {
      if (violation.upTo < 2) return;
      missing.set(violation.missing, (missing.get(violation.missing) ?? 0) + 1);
    });
    let seen = 0;
    const isLeftOut = (of: typeof kind) => of === kind && ++seen % each === 0;
    const insn = () => given(reader.sites[reader.site]).insn;
    const reader: RecordingReader = new RecordingReader(recording.functions, recording.ramBase, {
      table: (table) => rules.linked(table),
      unlink: (table) => rules.unlinked(table, reader.cpu),
      tlbi: (operand) => isLeftOut('tlbi') || rules.invalidated(insn(), operand, reader.cpu),
      barrier: () => isLeftOut('barrier') || rules.barrier(insn(), reader.cpu),
      register: (value) => rules.register(insn(), value, reader.cpu),
      store: (table, index, low, high) => rules.stored(table, index, low, high, reader.cpu),
    });
    reader.read(recording.events);
    return missing;
  };
  t.equal(without('tlbi', Number.POSITIVE_INFINITY).size, 0);
  t.ok(given(without('tlbi', 100).get('a TLBI')) > 0);
  const barriers = without('barrier', 7);
  t.ok(given(barriers.get('a TLBI after the first DSB')) > 0, 'one before a TLBI');
  t.ok(given(barriers.get('a DSB after the TLBI')) > 0, 'one after it');
  t.end();
});

t.test('a recorded boot: map_kernel() maps text again without a DSB after its TLBI', (t) => {
  // 6.12.117+deb13-arm64, max, up to paging_init.
  const recording = given(readRecording(join(import.meta.dirname, '../report/fixtures/recording')));
  const [only, ...others] = checkUpdates(recording, [0]);
  t.same(others, []);
  t.match(only, {
    site: /^__pi_map_range\+0x/,
    reason: 'the contiguous bit changes',
    missing: 'a DSB after the TLBI',
    counts: [864, 864, 0, 0],
    claimed: 864,
  });
  t.match(checkUpdates(recording, [2]), [{ claimed: 0 }]);
  t.end();
});

t.test('the TLBIs of KPTI hint at a granule of 64K, which is wrong with other pages', (t) => {
  const wrong = (boot: string) =>
    checkUpdates(recordedKernel(boot).recording, [2]).filter(({ claimed }) => claimed > 0);
  t.match(wrong('7.3.4+deb13-arm64@max+kpti')[0], {
    site: /^idmap_kpti_install_ng_mappings\+0x/,
    missing: 'a TLBI whose hint is right',
  });
  t.same(wrong('7.3.4-64k@monitor+neoverse-v3-r0p2+then-max+kpti'), []);
  t.end();
});
