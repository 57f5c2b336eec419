// SPDX-License-Identifier: GPL-2.0-only
/** Which bits of the registers the invariants look at: each bit is changed, one at a time. */
import t from 'tap';
import { cpusAgree } from '../../../src/diff/invariants/cpus-agree.ts';
import { translationControls } from '../../../src/diff/invariants/translation-controls.ts';
import type { SystemRegisters } from '../../../src/vmsa/types.ts';
import { given } from '../../given.ts';
import { soundContext } from '../synthetic.ts';

type Register = keyof SystemRegisters;

const bits = Array.from({ length: 64 }, (_, bit) => bit);
const from = (low: number, high: number): number[] => bits.slice(low, high + 1);

/** The context of CPUs that have every register that the invariants compare. */
function withAllRegisters(): ReturnType<typeof soundContext> {
  const context = soundContext();
  const own = { TCR2_EL1: 2n, MAIR2_EL1: 0n, PIR_EL1: 0x1234n, PIRE0_EL1: 0n };
  for (const { registers } of context.capture.cpus) Object.assign(registers, own);
  return context;
}

/** Bits of a register with which a context has findings once these CPUs' bit is the other one. */
function bitsThatCount(
  register: Register,
  cpus: readonly number[],
  idsOf: (context: ReturnType<typeof soundContext>) => string[],
): Map<number, string[]> {
  const found = bits.map((bit): [number, string[]] => {
    const context = withAllRegisters();
    for (const cpu of cpus) {
      const { registers } = given(context.capture.cpus[cpu]);
      registers[register] = (registers[register] ?? 0n) ^ (1n << BigInt(bit));
    }
    return [bit, idsOf(context)];
  });
  return new Map(found.filter(([, ids]) => ids.length > 0));
}

t.test('CPUs must agree in what is not set for each CPU or task by itself', async (t) => {
  const common: [Register, number[]][] = [
    // Neither CnP nor the ASID.
    ['TTBR1_EL1', from(1, 47)],
    // Neither T0SZ, nor IPS, nor HA and HD.
    ['TCR_EL1', [...from(6, 31), ...from(35, 38), ...from(41, 63)]],
    // M, C, I and WXN.
    ['SCTLR_EL1', [0, 2, 12, 19]],
    // PIE.
    ['TCR2_EL1', [1]],
    ['MAIR_EL1', bits],
    ['MAIR2_EL1', bits],
    ['PIR_EL1', bits],
    ['PIRE0_EL1', bits],
    // The user's half is the task's.
    ['TTBR0_EL1', []],
  ];
  for (const [register, expected] of common) {
    const found = bitsThatCount(register, [1], (context) => cpusAgree(context).map(({ id }) => id));
    t.same([...found.keys()], expected, register);
    t.same(
      new Set([...found.values()].flat()),
      new Set(expected.length > 0 ? [`invariant/cpus-agree/${register}@init`] : []),
    );
  }
});

t.test('a register that only one CPU has is a difference, also where it is 0', async (t) => {
  const context = soundContext();
  given(context.capture.cpus[1]).registers.PIR_EL1 = 0n;
  t.match(cpusAgree(context), [{ id: 'invariant/cpus-agree/PIR_EL1@init' }]);
  t.match(cpusAgree(context)[0]?.detail, 'CPU 1: 0x0 (), CPU 0: absent');
  const other = soundContext();
  given(other.capture.cpus[0]).registers.PIR_EL1 = 0n;
  t.match(cpusAgree(other)[0]?.detail, 'CPU 1: absent (), CPU 0: 0x0');
});

t.test('in the trampoline a CPU has another root, but no other MAIR', async (t) => {
  const context = soundContext();
  context.image.trampPgDir = context.image.symbols._text + 0x17_0000n;
  for (const { registers } of context.capture.cpus)
    registers.TTBR1_EL1 = BigInt(context.image.pa + 0x17_0000);
  given(context.capture.cpus[1]).registers.MAIR_EL1 = 0n;
  const [finding, ...more] = cpusAgree(context);
  t.same(more, []);
  t.equal(finding?.id, 'invariant/cpus-agree/MAIR_EL1@init');
  t.match(finding?.detail, /CPU 1: 0x0 \(.*\), CPU 0: 0x4/);
});

t.test('registers that are the prediction show nothing', async (t) => {
  const context = soundContext();
  for (const { registers } of context.capture.cpus) registers.TCR_EL1 ^= 1n << 28n;
  given(context.capture.cpus[1]).registers.MAIR_EL1 = 0n;
  t.equal(cpusAgree(context).length, 1);
  t.equal(translationControls(context).length, 1);
  context.capture.registersPredicted = true;
  t.same([...cpusAgree(context), ...translationControls(context)], []);
});

t.test('without a CPU online nobody disagrees', async (t) => {
  const context = soundContext();
  for (const cpu of context.capture.cpus) cpu.online = false;
  t.same(cpusAgree(context), []);
});

t.test('each control of table walks is checked, and nothing beside it', async (t) => {
  const controls: [Register, [name: string, bits: number[]][]][] = [
    [
      'TCR_EL1',
      [
        ['IRGN0', [8, 9]],
        ['ORGN0', [10, 11]],
        ['SH0', [12, 13]],
        ['EPD1', [23]],
        ['IRGN1', [24, 25]],
        ['ORGN1', [26, 27]],
        ['SH1', [28, 29]],
      ],
    ],
    [
      'SCTLR_EL1',
      [
        ['M', [0]],
        ['C', [2]],
        ['I', [12]],
      ],
    ],
  ];
  for (const [register, fields] of controls) {
    const expected = fields.flatMap(([name, of]) =>
      of.map((bit) => [bit, [`invariant/translation-controls/${register}.${name}@init`]]),
    );
    const found = bitsThatCount(register, [0], (context) =>
      translationControls(context).map(({ id }) => id),
    );
    t.same([...found], expected, register);
  }
});

t.test('one finding for a control names every CPU on which it is wrong', async (t) => {
  const context = soundContext();
  for (const { registers } of context.capture.cpus) registers.TCR_EL1 ^= 1n << 28n;
  const [finding, ...more] = translationControls(context);
  t.same(more, []);
  t.match(finding?.detail, 'CPU 0: TCR_EL1.SH1 is 2, must be 3');
  t.match(finding?.detail, 'CPU 1: TCR_EL1.SH1 is 2, must be 3');
});
