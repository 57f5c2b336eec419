// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import t from 'tap';
import { readRecording } from '../../results/recording-file.ts';
import { checkUpdates } from '../../src/bbm/check-updates.ts';
import { Events, kinds } from '../evidence/recorded-events.ts';
import { given } from '../given.ts';

const insns = {
  store: 0xf9000001,
  ttbr1: 0xd5182020,
  dsbIshst: 0xd5033a9f,
  dsbIsh: 0xd5033b9f,
  isb: 0xd5033fdf,
  vaale1is: 0xd50883e0,
  vaae1is: 0xd5088360,
  vmalle1: 0xd508871f,
  // As kpti_map_pgtbl of proc.S has it: the upper bits of the address are a hint.
  'vaae1 unmasked': 0xd5088360,
} as const;
type Step = 'break' | 'make' | 'again' | 'unlink' | 'relink' | 'other CPU' | keyof typeof insns;

const root = 0x4000_1000;
const pte = 0x4000_2000;
const page = 0xe8_0000_4021_0703n;
const table = (next: number) => BigInt(next) | 3n;

/**
 * What comes of the steps, with one page of a table of level 3, whose root is of level 2: the page
 * is broken, and made again at another address, or unchanged.
 */
function outcome(steps: readonly Step[]): string[] {
  const events = new Events();
  const names = Object.keys(insns) as (keyof typeof insns)[];
  for (const name of names) events.add(kinds.site).change(0n).add(insns[name]);
  const site = (name: keyof typeof insns) => names.indexOf(name) + 1;
  const last = new Map<string, bigint>();
  const change = (what: string, value: bigint) => {
    events.change(value - (last.get(what) ?? 0n));
    last.set(what, value);
  };
  const store = (id: number, value: bigint) => {
    events.add(kinds.store, site('store'));
    change('table', BigInt(id));
    change('index', 0n);
    change('value', value);
  };
  const entry = (pa: number, level: number, value: bigint) =>
    events.add(kinds.table, (pa - 0x4000_0000) / 8, level + 1, 1, 512, 1, 0, value);
  entry(root, 2, table(pte));
  entry(pte, 3, page);
  for (const cpu of [1, 0]) {
    events.add(kinds.cpu, cpu, kinds.msr, site('ttbr1'));
    change('ttbr1', BigInt(root));
  }
  for (const step of steps) {
    if (step === 'break') store(2, 0n);
    else if (step === 'make') store(2, page + 0x1000n);
    else if (step === 'again') store(2, page | (1n << 7n));
    else if (step === 'unlink') store(1, 0n);
    else if (step === 'relink') store(1, table(0x4000_3000));
    else if (step === 'other CPU') events.add(kinds.cpu, 1);
    else if (step.startsWith('dsb') || step === 'isb') events.add(kinds.barrier, site(step));
    else {
      events.add(kinds.tlbi, site(step));
      // First virtual address of a root of level 2 with 512 entries: 2^64 - 2^30.
      const address = 0xffff_ffff_c000_0000n >> 12n;
      const masked = address & ((1n << 44n) - 1n);
      change(step, step === 'vmalle1' ? 0n : step === 'vaae1 unmasked' ? address : masked);
    }
  }
  const recording = {
    functions: [],
    ramBase: 0x4000_0000,
    moments: [],
    sites: ['', ...names],
    callers: [],
    events: events.bytes,
  };
  return checkUpdates(recording, 0).map(({ reason, missing }) => `${reason}: ${missing ?? 'live'}`);
}

const address = 'another output address';

t.test('break, DSB, TLBI, DSB, make; and each of them left out or in another place', (t) => {
  for (const [steps, expected] of [
    [['break', 'dsbIshst', 'vaale1is', 'dsbIsh', 'make'], []],
    [['make'], [`${address}: live`]],
    [['again'], []],
    [['break', 'again'], []],
    [['break', 'vaale1is', 'dsbIsh', 'make'], [`${address}: a TLBI`]],
    [['break', 'dsbIshst', 'dsbIsh', 'make'], [`${address}: a TLBI`]],
    [['break', 'dsbIshst', 'vaale1is', 'make'], [`${address}: a DSB after the TLBI`]],
    [['break', 'dsbIshst', 'vaale1is', 'isb', 'make'], [`${address}: a DSB after the TLBI`]],
    [['break', 'dsbIshst', 'vaale1is', 'dsbIshst', 'make'], [`${address}: a DSB after the TLBI`]],
    [['break', 'dsbIshst', 'vaae1 unmasked', 'dsbIsh', 'make'], [`${address}: a TLBI`]],
    [['break', 'vaale1is', 'make'], [`${address}: a DSB between the break and the TLBI`]],
    [
      ['break', 'dsbIshst', 'vmalle1', 'dsbIsh', 'make'],
      [`${address}: a TLBI that reaches all CPUs`],
    ],
    // The DSB must be that of the CPU that broke the entry, and of the one that sent the TLBI.
    [
      ['break', 'other CPU', 'dsbIshst', 'vaale1is', 'dsbIsh', 'make'],
      [`${address}: a DSB between the break and the TLBI`],
    ],
    [
      ['break', 'dsbIshst', 'vaale1is', 'other CPU', 'dsbIsh', 'make'],
      [`${address}: a DSB after the TLBI`],
    ],
    [['unlink', 'dsbIshst', 'vaae1is', 'dsbIsh', 'relink'], []],
    [
      ['unlink', 'dsbIshst', 'vaale1is', 'dsbIsh', 'relink'],
      ['another table: a TLBI of walk caches, too'],
    ],
    [['relink'], ['another table: live']],
  ] as const)
    t.same(outcome(steps), expected, steps.join(', '));
  t.end();
});

t.test('a recorded boot: map_kernel() maps text again without a DSB after its TLBI', (t) => {
  // 6.12.117+deb13-arm64, max, up to paging_init.
  const recording = given(readRecording(join(import.meta.dirname, '../report/fixtures/recording')));
  const [only, ...others] = checkUpdates(recording, 0);
  t.same(others, []);
  t.match(only, {
    site: /^__pi_map_range\+0x/,
    reason: 'the contiguous bit changes',
    missing: 'a DSB after the TLBI',
    count: 864,
  });
  t.same(checkUpdates(recording, 2), []);
  t.end();
});
