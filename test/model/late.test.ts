// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { type LateStep, lateSteps, tellingLate, untoldBy } from '../../src/model/late.ts';
import { makeScenario } from '../../src/scenario/make.ts';
import type { Machine, Rodata, Scenario } from '../../src/scenario/types.ts';
import { stableJson } from '../../src/stable-json.ts';
import { traitsOfGeneration } from '../scenario/asked.ts';
import { lateStepsOn } from './late-scenarios.ts';

/** Its linear map is split on demand by 7.3, unless the parameters leave it in blocks for good. */
const capable = 'neoverse-v3-r0p2';
/** It has neither the capability nor FEAT_LPA2: 7.3 maps pages, or blocks for good. */
const plain = 'cortex-a76';

const of = (cpu: string, machine: Partial<Machine> = {}, parameters: string[] = []): Scenario =>
  makeScenario({ cpu }, machine, { parameters });
const capableWith = (machine: Partial<Machine>): Scenario => of(capable, machine);
const plainWith = (machine: Partial<Machine>): Scenario => of(plain, machine);
const realmWith = (machine: Partial<Machine>): Scenario =>
  of(capable, { world: 'realm', firmware: 'monitor', ...machine });
/** With KFENCE's pool there early, rodata=off leaves blocks for good. */
const pooled = (cpu: string, rodata: Rodata = 'default'): Scenario =>
  makeScenario({ cpu, rodata, kfenceSampleInterval: 100 });
const withKaslr = (kaslr: boolean, kpti: string): Scenario =>
  makeScenario({ cpu: plain, kaslr }, {}, { parameters: [`kpti=${kpti}`] });
const withCpuProbe = (machine: Partial<Machine>): Scenario =>
  makeScenario({ cpu: plain }, machine, { probes: ['cpu_online', 'memfd_secret'] });

const pair = { cpus: 2 };
const large = { memory: 8192 };
const hole = { holes: [{ start: 0x6010_0000, size: 0x1_0000 }] };
const nodes = { nodes: [[{ start: 0x4000_0000, size: 0x4000_0000 }]] };
const otherNodes = { nodes: [[{ start: 0x4000_0000, size: 0x2581_0000 }]] };

type Pair = [why: string, one: Scenario, other: Scenario];

/** Boots that show the same of a step after the early end: one in full tells for both. */
const same: Record<string, Pair[]> = {
  'mark_rodata_ro()': [
    ['memory is all mapped by then', capableWith({}), capableWith(large)],
    ['the way to non-global entries does not matter', withKaslr(true, 'on'), withKaslr(false, 'y')],
  ],
  'what initcalls protect': [
    ['nothing is split: memory does not matter', plainWith({}), plainWith({ ...large, ...hole })],
    ['nothing is split: nor do CPUs', plainWith({}), plainWith(pair)],
    ['any number of CPUs is several', capableWith(pair), capableWith({ cpus: 4 })],
    ['late CPUs are off by then', capableWith({}), capableWith({ ...pair, late: true })],
  ],
  'KFENCE at work': [['both map pages', of(plain), of('max')]],
  'the probe memfd_secret': [
    ['it runs on one CPU', withCpuProbe(pair), withCpuProbe({ cpus: 4 })],
    ['EL2 is no concern of the normal world', plainWith({}), plainWith({ firmware: 'monitor' })],
  ],
};

/** Boots that show something else: an early one must not pass for the other. */
const unlike: Record<string, Pair[]> = {
  'mark_rodata_ro()': [
    ['KPTI makes entries non-global', withKaslr(false, 'on'), withKaslr(false, 'off')],
    ['so does KASLR, whatever becomes of KPTI', withKaslr(true, 'off'), withKaslr(false, 'off')],
    ['LPA2 moves bits', of(plain), of('max')],
    ['pages, or blocks that are split', of(plain), of(capable)],
  ],
  'what initcalls protect': [
    ['leaves are split where memory is', capableWith({}), capableWith(large)],
    ['a hole cuts blocks', capableWith(large), capableWith({ ...large, ...hole })],
    ['so do nodes', capableWith(nodes), capableWith(otherNodes)],
    ['a split with several CPUs', capableWith({}), capableWith(pair)],
    [
      'a split with several CPUs, or late ones',
      capableWith(pair),
      capableWith({ cpus: 2, late: true }),
    ],
  ],
  'KFENCE at work': [
    ['pages, or blocks for good', pooled(plain), pooled(plain, 'off')],
    ['blocks that are split, or for good', pooled(capable), pooled(capable, 'off')],
    [
      'repainted where a CPU lacks it',
      capableWith(pair),
      capableWith({ ...pair, others: ['max'] }),
    ],
  ],
  'what the realm shares from then on': [
    ['the ITS has tables to share', realmWith({}), realmWith({ its: false })],
    ['the RMM is another', realmWith({}), realmWith({ firmware: 'monitor-rme' })],
    ['shared pages split blocks', realmWith({}), realmWith(large)],
    ['other CPUs must see the split', realmWith({}), realmWith(pair)],
  ],
  'the probe cpu_online': [
    ['how many come', withCpuProbe(pair), withCpuProbe({ cpus: 4 })],
    ['which come', withCpuProbe({ ...pair, others: ['max'] }), withCpuProbe(pair)],
  ],
  'the probe memfd_secret': [
    ['a realm is another world', of(capable), realmWith({})],
    ['a page of a block cannot be taken out', pooled(plain), pooled(plain, 'off')],
  ],
};

const traits = traitsOfGeneration('7.3');

/** One late step of a scenario as a text, undefined where its boot has no such step. */
const stepOf = (scenario: Scenario, what: string): string | undefined => {
  const step = lateSteps(traits, scenario).find((each) => each.what === what);
  return step && stableJson(step);
};

t.test('what two boots show late is the same only if nothing that it depends on differs', (t) => {
  for (const [what, pairs] of Object.entries(same))
    for (const [why, one, other] of pairs) {
      t.ok(stepOf(one, what), what);
      t.equal(stepOf(one, what), stepOf(other, what), `${what}: ${why}`);
    }
  for (const [what, pairs] of Object.entries(unlike))
    for (const [why, one, other] of pairs) {
      t.ok(stepOf(one, what) && stepOf(other, what), what);
      t.not(stepOf(one, what), stepOf(other, what), `${what}: ${why}`);
    }
  t.end();
});

const whats = (generation: string, scenario: Scenario): string[] =>
  lateSteps(traitsOfGeneration(generation), scenario).map(({ what }) => what);

t.test('a boot has the late steps that its scenario asks for, and no others', (t) => {
  const always = ['mark_rodata_ro()', 'what initcalls protect', 'KFENCE at work'];
  const secret = 'the probe memfd_secret';
  t.same(whats('7.3', of(plain)), [...always, secret]);
  t.same(whats('7.3', { ...of(plain), plain: true }), [
    ...always,
    secret,
    'what a plain boot does besides',
  ]);
  t.same(whats('7.3', realmWith({})), [...always, 'what the realm shares from then on', secret]);
  const decided = ['rodata=off', 'kfence.sample_interval=7', 'kpti=on', 'debug_pagealloc=off'];
  const asking = of(plain, {}, [...decided, 'slub_debug=FZ', 'nosmp']);
  t.same(
    whats('7.3', asking),
    [...always, secret, 'what slub_debug=FZ asks for', 'what nosmp asks for'],
    'what a parameter decides is in the other steps',
  );
  t.same(whats('7.3 with debug_pagealloc', of(plain, {}, ['debug_pagealloc=on'])), [
    ...always,
    'debug_pagealloc at work',
    secret,
  ]);
  t.end();
});

t.test('every late step of an early boot is told by one in full, which is named', async (t) => {
  const steps = lateStepsOn('7.3');
  const full = tellingLate(steps);
  const names = new Set([...full].map(({ name }) => name));
  const untold = untoldBy(steps, full);
  t.same(new Set([...untold.keys(), ...full]), new Set(steps.keys()), 'each is early or full');
  for (const [scenario, own] of untold) {
    t.notOk(full.has(scenario));
    t.ok(
      own.every(({ by }) => by !== undefined && names.has(by)),
      scenario.name,
    );
  }
  const [nobody] = [...untoldBy(steps, new Set()).values()];
  t.ok(
    nobody?.every(({ by }) => by === undefined),
    'where none is booted in full, none tells',
  );
});

t.test('a scenario that must be booted in full is, and spares others', async (t) => {
  const steps = lateStepsOn('7.3');
  const chosen = [...steps.keys()].filter(({ name }) => name === 'max' || name === 'max+off');
  const full = tellingLate(steps, chosen);
  for (const scenario of chosen) t.ok(full.has(scenario), scenario.name);
});

/** Scenarios of one name each, with late steps of such names. */
const showing = (...names: string[]): Map<Scenario, LateStep[]> =>
  new Map(
    names.map((name) => [
      { ...of(plain), name },
      [...name].map((what): LateStep => ({ what, on: [] })),
    ]),
  );
const namesOf = (scenarios: Iterable<Scenario>): string[] => [...scenarios].map(({ name }) => name);

t.test('as few scenarios are booted in full as show everything, the most telling first', (t) => {
  t.same(namesOf(tellingLate(showing('abc', 'ab', 'bc'))), ['abc']);
  t.same(namesOf(tellingLate(showing('a', 'ab', 'b', 'bcd'))), ['bcd', 'a']);
  t.same(namesOf(tellingLate(showing('ab', 'ba', ''))), ['ab'], 'of two equals the first');
  const steps = showing('ab', 'ba', 'ac');
  const chosen = [...steps.keys()].slice(1, 2);
  t.same(namesOf(tellingLate(steps, chosen)), ['ba', 'ac'], 'one that is booted anyway spares one');
  t.end();
});

t.test('of an early boot it is said what it does not show, and the first that does', (t) => {
  const steps = showing('ab', 'abd', 'cab');
  const [, ...full] = steps.keys();
  const [early] = untoldBy(steps, new Set(full));
  const both = [
    { what: 'a', by: 'abd' },
    { what: 'b', by: 'abd' },
  ];
  t.strictSame(early?.[1], both);
  const untold = untoldBy(steps, new Set(full.slice(0, 1)));
  t.strictSame([...untold.values()], [both, [{ what: 'c' }, ...both]], 'nobody tells c');
  t.end();
});

t.test('where no boot can be ended early, what must be booted in full still is', async (t) => {
  const scenario = of(plain);
  t.same(tellingLate(new Map(), [scenario]), new Set([scenario]));
});
