// SPDX-License-Identifier: GPL-2.0-only
/**
 * CPUs under the monitor: turned on and off through it, each with the identity that the parameters
 * give it.
 */
import t from 'tap';
import { bbmOverride } from '../../src/scenario/id-overrides.ts';
import { idRegisters } from '../../src/scenario/id-registers.ts';
import { ramBase, runMonitor, type Step, secondaryEntry } from './monitor-machine.ts';

t.setTimeout(0);

const psci = (number: number, ...args: (number | bigint)[]): Step => ['smc', number, ...args];
const [psciVersion, cpuOn, affinityInfo, psciFeatures] = [
  0x84000000, 0xc4000003, 0xc4000004, 0x8400000a,
];
const smcccVersion = 0x80000000;
const note = (cpu: number) => ramBase + 0x3000000 + 64 * cpu;
const turnOn = (cpu: number): Step[] => [
  psci(cpuOn, cpu, secondaryEntry, note(cpu)),
  ['wait', note(cpu)],
];
const read = (cpu: number): Step[] => [
  ['load', note(cpu) + 8],
  ['load', note(cpu) + 16],
];
/** CPU_OFF takes a moment; AFFINITY_INFO says 1 when it is done. */
const untilOff = (cpu: number): Step => ['until', affinityInfo, cpu, 0, 0, 1];
const error = (code: number) => BigInt.asUintN(64, BigInt(code));
const bbm = (mmfr2: bigint | undefined) => Number(((mmfr2 ?? 0n) >> 52n) & 0xfn);
const max = 0x000f0510n;
const v3 = 0x410fd842n;

for (const [name, world, rme] of [
  ['normal world', 'normal', false],
  ['realm at EL2', 'realm', false],
  ['Realm world', 'realm', true],
] as const) {
  t.test(`${name}: 8 CPUs, all with their own identity`, async (t) => {
    const others = [1, 2, 3, 4, 5, 6, 7];
    const steps: Step[] = [['identity'], ...others.flatMap(turnOn), ...others.flatMap(read)];
    const { results, report, ended } = await runMonitor(steps, {
      ...{ world, rme, cpus: 8 },
      midrs: [v3, undefined, 0x410fd841n, 0x411fd842n],
      overrides: [bbmOverride([0, 4], 3), bbmOverride([1, 5], 1), bbmOverride([2], 0)],
    });
    t.ok(ended);
    t.same(report?.cpusEntered, [0, ...others]);
    const seen = [
      [results[0]?.x[0], bbm(results[0]?.x[1])],
      ...others.map((cpu) => {
        const at = 1 + 2 * others.length + 2 * (cpu - 1);
        return [results[at]?.x[0], bbm(results[at + 1]?.x[0])];
      }),
    ];
    t.same(seen, [
      [v3, 3],
      [max, 1],
      [0x410fd841n, 0],
      [0x411fd842n, 2],
      [max, 3],
      [max, 1],
      [max, 2],
      [max, 2],
    ]);
    t.equal(results[0]?.x[2], 0x80000000n, 'MPIDR is the own one');
    t.ok((report?.idReads ?? 0) >= 5, 'ID registers of altered CPUs are trapped');
  });

  t.test(`${name}: off and on again, and wrong requests`, async (t) => {
    const again: Step[] = [untilOff(1), ['store', note(1), 0], ...turnOn(1)];
    const steps: Step[] = [
      psci(psciVersion),
      psci(smcccVersion),
      psci(psciFeatures, smcccVersion),
      psci(psciFeatures, cpuOn),
      psci(psciFeatures, 0x84000012),
      psci(affinityInfo, 1, 0),
      psci(affinityInfo, 0, 0),
      psci(cpuOn, 0, secondaryEntry, 0),
      psci(cpuOn, 2, secondaryEntry, 0),
      psci(cpuOn, 0x100, secondaryEntry, 0),
      psci(cpuOn, 1, 0x9000000, 0),
      ...turnOn(1),
      ...again,
    ];
    const { results, ended } = await runMonitor(steps, { world, rme, cpus: 2 });
    const x0 = results.map(({ x }) => x[0]);
    t.ok(ended);
    t.same(x0.slice(0, 5), [0x10001n, 0x10002n, 0n, 0n, error(-1)]);
    t.same(x0.slice(5, 7), [1n, 0n], 'one is off, one on');
    t.same(x0.slice(7, 11), [error(-4), error(-2), error(-2), error(-9)]);
    t.equal(x0[11], 0n, 'turned on');
    t.equal(x0[12], 0x80000001n, 'and ran');
    t.equal(x0.at(-4), 1n, 'turned itself off');
    t.same(x0.slice(-2), [0n, 0x80000001n], 'and ran again');
  });
}

t.test('other ID fields are data too, and the rest of a register stays', async (t) => {
  const register = idRegisters.ID_AA64PFR0_EL1;
  const [plain, altered] = await Promise.all([
    runMonitor([['identity']]),
    runMonitor([['identity']], {
      overrides: [{ cpus: [0], register, mask: 0xff0n, value: 0x110n }],
    }),
  ]);
  const [before, after] = [plain, altered].map((run) => run.results[0]?.x[3] ?? 0n);
  t.equal((after ?? 0n) & 0xff0n, 0x110n);
  t.equal((after ?? 0n) & ~0xff0n, (before ?? 0n) & ~0xff0n);
  t.equal(plain.report?.idReads, 0, 'what nobody altered is not trapped');
});
