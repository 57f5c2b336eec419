// SPDX-License-Identifier: GPL-2.0-only
/**
 * What guest/collect reads on a guest that plays the live machine, through nothing but the kernel's
 * own files, against what the harness reads of the same guest at the same moment, from outside.
 */

import t, { type Test } from 'tap';
import { vmallocRange } from '../../src/linux/kernel-layout.ts';
import { unsignedInteger } from '../../src/linux/variables.ts';
import { parseVmallocinfo } from '../../src/linux/vmallocinfo.ts';
import { last } from '../../src/present.ts';
import { builtInScenario } from '../../src/scenario/built-in.ts';
import type { Scenario } from '../../src/scenario/types.ts';
import { stage1Regime } from '../../src/vmsa/regime.ts';
import { walk } from '../../src/vmsa/walk.ts';
import { given } from '../given.ts';
import { membersOf, type PlayedBoard, playBoard } from './play-board.ts';
import { speltOutTables } from './spelt-out-tables.ts';

// Downloads and boots take as long as they take; the test runner has a limit of its own.
t.setTimeout(0);
const patient = { timeout: 0 };

function withParameters(name: string, parameters: string[]): Scenario {
  const scenario = given(builtInScenario(name));
  return { ...scenario, parameters: [...scenario.parameters, ...parameters] };
}

/** Fields of each line of a member. */
function rows(members: Map<string, Buffer>, name: string): string[][] {
  const text = members.get(name)?.toString('latin1') ?? '';
  return text === ''
    ? []
    : text
        .trimEnd()
        .split('\n')
        .map((line) => line.split(' '));
}

const number = (hex: string | undefined) => Number(`0x${given(hex)}`);

/**
 * Whether a place of the address space cannot change between the walk of collect and that of the
 * harness.
 */
function constantPlaces({ kernel, evidence }: PlayedBoard): (each: { va: bigint }) => boolean {
  const { traits, symbols } = kernel;
  const within = (start: bigint, end: bigint) => (va: bigint) => va >= start && va < end;
  // Modules, the image and vmalloc's area, which has the stacks of processes: that of collect ends.
  const { inputBits } = stage1Regime(given(last(evidence.captures).cpus[0]).registers, 'ttbr1');
  const { start, end } = vmallocRange(traits.config.vaBits, inputBits, traits.geometry);
  const inArea = within(start, end);
  const slid = (name: string) => given(symbols.address(name)) + evidence.image.slide;
  const inImage = within(slid('_text'), slid('_end'));
  // A page of KFENCE is valid while its object is in use. Without KFENCE the pool is at 0.
  const pool = last(evidence.captures).variables.__kfence_pool ?? 0n;
  const poolPages = BigInt((traits.config.kfenceNumObjects + 1) * 2);
  const inPool = within(pool, pool + poolPages * BigInt(traits.geometry.granule));
  return ({ va }) => !inPool(va) && (!inArea(va) || inImage(va));
}

function compareTables(t: Test, board: PlayedBoard, members: Map<string, Buffer>): void {
  const { cpus, ttbr1 } = last(board.evidence.captures);
  const regime = stage1Regime(given(cpus[0]).registers, 'ttbr1');
  const root = rows(members, 'descriptors')[0];
  t.strictSame(root, ['root', regime.rootPa.toString(16), String(regime.rootEntries)]);
  const tables = speltOutTables(regime, given(members.get('descriptors')).toString());
  const collected = walk(regime, tables);
  const constant = constantPlaces(board);
  for (const what of ['leaves', 'tables', 'malformed'] as const) {
    const found = collected[what].filter(constant);
    t.strictSame(found, ttbr1[what].filter(constant), what);
    t.comment(`${found.length} ${what}, of ${collected[what].length}`);
  }
  t.ok(collected.leaves.filter(constant).length > 10);
  t.equal(members.has('unsettled'), false);
}

function compareFacts(t: Test, { evidence }: PlayedBoard, members: Map<string, Buffer>): void {
  const { variables, memblock } = last(evidence.captures);
  const read = rows(members, 'variables').map(([name, hex]) => [
    name,
    unsignedInteger(Buffer.from(given(hex), 'hex')),
  ]);
  t.same(Object.fromEntries(read), variables, 'variables');
  t.strictSame(
    rows(members, 'memblock')
      .filter(([type]) => type === 'memory')
      .map(([, start, size, flags]) => ({
        start: number(start),
        end: number(start) + number(size),
        flags: number(flags),
      })),
    memblock,
    'memblock',
  );
  const probe = given(evidence.probes.find((each) => each.probe === 'memfd_secret'));
  const secret = rows(members, 'secret').flatMap(([start, end]) => {
    const pages: number[] = [];
    const bytes = pageBytes(members);
    for (let pa = number(start); pa < number(end); pa += bytes) pages.push(pa);
    return pages;
  });
  t.ok(secret.length > 0);
  t.strictSame(
    secret,
    [...new Set(probe.pages)].sort((a, b) => a - b),
    'secret pages',
  );
}

function pageBytes(members: Map<string, Buffer>): number {
  return Number(/^PAGESIZE=(\d+)$/m.exec(given(members.get('vmcoreinfo')).toString())?.[1]);
}

function compareCpus(t: Test, { evidence }: PlayedBoard, members: Map<string, Buffer>): void {
  const cpus = rows(members, 'cpus');
  const online = last(evidence.captures).cpus.map((each) => (each.online ? 'online' : 'offline'));
  t.strictSame(
    cpus.map(([cpu, state]) => [cpu, state]),
    online.map((state, cpu) => [String(cpu), state]),
  );
  for (const [cpu, [, , ...fields]] of cpus.entries()) {
    const registers = Object.fromEntries(fields.map((field) => field.split('=')));
    for (const [name, value] of Object.entries(given(evidence.idRegisters[cpu])))
      t.equal(BigInt(`0x${registers[name]}`), value, `${name} of CPU ${cpu}`);
    t.ok('MIDR_EL1' in registers && 'REVIDR_EL1' in registers);
  }
}

/** The harness's init saw the kernel's own file, with its addresses shown. */
function compareAreas(t: Test, { evidence }: PlayedBoard, members: Map<string, Buffer>): void {
  // What vmalloc() gave is memory that comes and goes, such as the stacks of processes.
  const constant = (text: string) =>
    parseVmallocinfo(text)
      .filter(({ flags }) => !/^(vmalloc|unpurged)$/.test(flags[0] ?? ''))
      .sort((a, b) => Number(a.start - b.start));
  const seen = constant(given(evidence.files['/proc/vmallocinfo']));
  t.strictSame(constant(given(members.get('vmallocinfo')).toString()), seen, 'areas');
  t.ok(seen.length > 5);
}

for (const [spec, scenario, lockdown] of [
  ['debian:6.12', 'max+kaslr', 'integrity'],
  ['debian:6.18', 'max+kaslr', 'none'],
  ['debian:7.3', 'max+kaslr', 'none'],
  ['debian:7.3:16k', 'max+kaslr', 'none'],
  // Its linear map is in blocks, with a pool of KFENCE.
  ['debian:7.3', 'neoverse-v3-r0p2+kfence100', 'none'],
  // Two CPUs of different kinds.
  ['debian:6.18', 'monitor+neoverse-v3-r0p2+then-max', 'none'],
] as const) {
  t.test(
    `${spec} ${scenario}: what collect reads is what the harness reads`,
    patient,
    async (t) => {
      const parameters = lockdown === 'none' ? [] : [`lockdown=${lockdown}`];
      const board = await playBoard(spec, withParameters(scenario, parameters));
      const members = membersOf(board.archive);
      t.match(JSON.parse(given(members.get('collect.json')).toString()), {
        schema: 1,
        source: 'kcore',
        settled: true,
        lockdown,
        lost: [],
      });
      compareTables(t, board, members);
      compareFacts(t, board, members);
      compareCpus(t, board, members);
      compareAreas(t, board, members);
    },
  );
}

t.test('a kernel that is locked down for confidentiality says so', patient, async (t) => {
  const scenario = withParameters('max', ['lockdown=confidentiality']);
  await t.rejects(playBoard('debian:7.3', scenario), {
    message: /collect: This kernel is locked down for confidentiality, so that not even root/,
  });
});
