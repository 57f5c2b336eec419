// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { invalidating } from '../../src/bbm/owed.ts';
import { recordedFunctions } from '../../src/linux/recorded-functions.ts';
import {
  type Insn,
  kernelPtes,
  kernelRoot,
  operandOf,
  Steps,
  userPtes,
  userRoot,
} from './steps.ts';

const page = 0xe8_0000_4021_0703n;
const first = 0xffff_ffff_c000_0000n;
const stays = 'what it made invalid stays in the TLB';

type Step =
  | 'mm'
  | 'default'
  | 'break'
  | 'valid'
  | 'fault'
  | 'noflush'
  | 'vfree'
  | 'end'
  | 'interrupt'
  | 'eret'
  | Insn;

const functions: Partial<Record<Step, string>> = {
  mm: 'handle_mm_fault',
  fault: 'secretmem_fault',
  noflush: 'set_direct_map_invalid_noflush',
  default: 'set_direct_map_default_noflush',
  vfree: 'vfree',
};

/** What comes of the steps, on a page of the kernel's that two CPUs may hold; 'end' returns. */
function steps(all: readonly Step[]): Steps {
  const made = new Steps()
    .table(kernelRoot, 2, true, { 0: BigInt(kernelPtes) | 3n })
    .table(kernelPtes, 3, true, { 0: page });
  for (const cpu of [1, 0]) made.cpu(cpu).write('ttbr1', BigInt(kernelRoot));
  const open: string[] = [];
  for (const step of all) {
    const name = functions[step];
    if (name !== undefined) {
      made.enter(name);
      open.push(name);
    } else if (step === 'end') made.leave(open.pop() ?? '');
    else if (step === 'break') made.store(kernelPtes, 0, page & ~1n);
    else if (step === 'valid') made.store(kernelPtes, 0, page);
    else if (step === 'interrupt' || step === 'eret') made.interrupted(step === 'interrupt');
    else if (step.startsWith('dsb') || step === 'isb') made.barriers(step as Insn);
    else made.write(step as Insn, step.startsWith('vmalle1') ? 0n : operandOf(first));
  }
  return made;
}

const flush = ['dsb ishst', 'vaale1is', 'dsb ish'] as const;

t.test('secretmem_fault() returns once no TLB holds what its callee made invalid', (t) => {
  for (const [all, missing] of [
    [['fault', 'noflush', 'break', 'end', ...flush, 'end'], []],
    // Its callee, by itself, owes nothing.
    [['noflush', 'break', 'end'], []],
    [['fault', 'noflush', 'break', 'end', 'end'], ['a DSB between the break and the TLBI']],
    [['fault', 'noflush', 'break', 'end', 'dsb ish', 'end'], ['a TLBI']],
    [
      ['fault', 'noflush', 'break', 'end', 'dsb ishst', 'vaale1is', 'isb', 'end'],
      ['a DSB after the TLBI'],
    ],
    [
      ['fault', 'noflush', 'break', 'end', 'vaale1is', 'dsb ish', 'end'],
      ['a TLBI after the first DSB'],
    ],
    [
      ['fault', 'noflush', 'break', 'end', 'dsb ishst', 'vmalle1', 'dsb nsh', 'end'],
      ['a TLBI that reaches all CPUs'],
    ],
    // filemap_add_folio() failed: the page is as it was.
    [['fault', 'noflush', 'break', 'end', 'valid', 'end'], []],
    // Too late.
    [['fault', 'break', 'end', ...flush], ['a DSB between the break and the TLBI']],
    // An interrupt's handler owes nothing to what it interrupted.
    [['fault', 'interrupt', 'vfree', 'break', 'end', 'eret', 'end'], []],
    [['fault', 'interrupt', 'break', 'eret', 'end'], []],
    // What vfree() unmaps may stay.
    [['vfree', 'break', 'end'], []],
    // Each call owes what it made invalid itself.
    [['fault', 'break', ...flush, 'end', 'fault', 'end'], []],
  ] as const)
    t.same(
      steps(all).faults(),
      missing.map((each) => `${stays}: ${each}`),
      all.join(', '),
    );
  t.end();
});

t.test('vfree() owes it where it resets permissions, and before the memory is valid again', (t) => {
  const reset = ['vfree', 'noflush', 'break', 'end'] as const;
  for (const [all, missing] of [
    [[...reset, ...flush, 'default', 'valid', 'end', 'end'], []],
    [[...reset, 'dsb ish', 'default', 'valid', 'end', 'end'], ['a TLBI']],
    // What it unmapped itself, too.
    [['vfree', 'break', 'dsb ish', 'default', 'end', 'end'], ['a TLBI']],
    // The error path of secretmem_fault() gives back what nobody has seen.
    [['fault', 'noflush', 'break', 'end', 'default', 'valid', 'end', 'end'], []],
    [[...reset, 'end', 'default', 'valid', 'end'], []],
  ] as const)
    t.same(
      steps(all).faults(),
      missing.map((each) => `${stays}: ${each}`),
      all.join(', '),
    );
  t.match(steps([...reset, 'dsb ish', 'default', 'end', 'end']).check(), [{ site: 'vfree' }]);
  t.end();
});

t.test('it is told of the function that returns, at every level of FEAT_BBM', (t) => {
  const broken = ['mm', 'fault', 'noflush', 'break', 'end', 'dsb ish', 'end', 'end'] as const;
  t.match(steps([...broken, 'valid', ...broken]).check([3, 3]), [
    {
      site: 'secretmem_fault',
      chain: ['handle_mm_fault'],
      reason: stays,
      missing: 'a TLBI',
      counts: [2, 2, 2, 2],
      claimed: 2,
      example: { va: first, level: 3, old: page, new: page & ~1n, cpu: 0 },
    },
  ]);
  t.end();
});

t.test('before a CPU translates with the tables nothing is owed', (t) => {
  const made = new Steps()
    .table(kernelRoot, 2, true, { 0: BigInt(kernelPtes) | 3n })
    .table(kernelPtes, 3, true, { 0: page });
  made.enter('set_memory_valid').store(kernelPtes, 0, 0n).leave('set_memory_valid');
  t.same(made.faults(), []);
  t.end();
});

t.test('ptep_clear_flush(): of every ASID and CPU that may hold a page of user space', (t) => {
  const cleared = (...asids: bigint[]) => {
    const made = new Steps()
      .table(kernelRoot, 2, true, {})
      .table(userRoot, 2, false, { 0: BigInt(userPtes) | 3n })
      .table(userPtes, 3, false, { 0: page | (1n << 11n) })
      .write('tcr', (1n << 22n) | (2n << 30n));
    // As KPTI has it: the kernel and user space have ASIDs of their own.
    for (const asid of [2n, 3n])
      made.write('ttbr1', BigInt(kernelRoot) | (asid << 48n)).write('ttbr0', BigInt(userRoot));
    made.enter('handle_mm_fault').enter('ptep_clear_flush').store(userPtes, 0, 0n);
    made.barriers('dsb ishst');
    for (const asid of asids) made.write('vale1is', operandOf(0n, asid));
    return made.barriers('dsb ish').leave('ptep_clear_flush').leave('handle_mm_fault').faults();
  };
  t.same(cleared(2n, 3n), []);
  t.same(cleared(2n), [`${stays}: a TLBI of every ASID`]);
  t.same(cleared(), [`${stays}: a TLBI`]);
  t.end();
});

t.test('every function that owes is recorded', (t) => {
  const recorded = new Set(recordedFunctions.map(({ name }) => name));
  for (const name of invalidating) t.ok(recorded.has(name), name);
  t.end();
});
