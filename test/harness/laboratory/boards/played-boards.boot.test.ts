// SPDX-License-Identifier: GPL-2.0-only
/**
 * From a board to the bench: guests play the board; what judge says of their archives is what the
 * harness says that looked at the same guests from outside at the same moment; and the scenario that
 * judge writes shows the same on emulated hardware.
 */

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { judgeDump } from '../../../../harness/laboratory/boards/judge-dump.ts';
import { readArchive } from '../../../../harness/laboratory/boards/read-archive.ts';
import { judgeCase } from '../../../../harness/laboratory/judge-case.ts';
import { prepareLaboratory } from '../../../../harness/laboratory/laboratory.ts';
import { type LoadedKernel, loadKernel } from '../../../../harness/laboratory/loaded-kernel.ts';
import { scenariosNamed } from '../../../../harness/laboratory/plan.ts';
import { runCase } from '../../../../harness/laboratory/run-case.ts';
import type { LinearMapSizes } from '../../../../src/diff/types.ts';
import { dumpedBoard } from '../../../../src/evidence/board-dump.ts';
import { given } from '../../../given.ts';
import { playBoard } from '../../../guest/play-board.ts';
import { withWritableAlias } from '../../recoded-kernel.ts';
import { compare, findingsAt, known, steady } from './judge-played.ts';

// Downloads and boots take as long as they take; the test runner has a limit of its own.
t.setTimeout(0);

const signal = new AbortController().signal;

/**
 * Two boots split their leaves for BPF programs that lie elsewhere in each: a contiguous group of
 * blocks or two.
 */
const splitApart = 64 * 2 ** 20;

function alike(one: LinearMapSizes | undefined, other: LinearMapSizes | undefined): boolean {
  const sizes = Object.entries(steady(given(other)));
  const own = new Map(Object.entries(steady(given(one))));
  return sizes.every(([kind, bytes]) => Math.abs(given(own.get(kind)) - bytes) <= splitApart);
}

/** The scenario of the case's folder, run on the board's kernel. */
async function onTheBench(kernel: LoadedKernel, file: string, directory: string) {
  const [scenario] = await scenariosNamed(file);
  const laboratory = await prepareLaboratory([given(scenario)], undefined, false);
  const each = { name: 'bench', kernel, scenario: given(scenario), directory };
  return runCase(laboratory, each, signal);
}

for (const [spec, scenario, bench] of [
  ['debian:6.12', 'max+kaslr'],
  // KASLR forces KPTI there.
  ['debian:6.12', 'cortex-a76+kaslr', 'bench'],
  ['debian:6.18', 'monitor+neoverse-v3-r0p2+then-max', 'bench'],
  ['debian:6.18', 'monitor+neoverse-v3-r0p2+low-holes', 'bench'],
  ['debian:7.1', 'neoverse-v3-r0p2+kfence100'],
  ['debian:7.2', 'max+off'],
  ['debian:7.2:16k', 'neoverse-v3-r0p2+odd-holes', 'bench'],
  ['debian:7.3', 'neoverse-v3-r0p2+kaslr', 'bench'],
  ['debian:7.3:16k', 'max+kaslr'],
  ['debian:7.3', 'neoverse-v3-r0p2+kfence100+kpti'],
  ['debian:7.3', 'cortex-a72+kaslr'],
  ['debian:7.3', 'realm+max', 'bench'],
] as [string, string, 'bench'?][]) {
  t.test(`${spec} ${scenario}`, { timeout: 0 }, async (t) => {
    const played = await playBoard(spec, scenario);
    const place = t.testdir({ board: {}, bench: {} });
    const board = join(place, 'board');
    const inside = await compare(t, played, board);
    t.ok(['pass', 'known'].includes(inside.verdict), JSON.stringify(inside.findings, null, 1));
    t.not(inside.symbols.grade, 'mismatch');
    const file = join(board, 'scenario.yaml');
    t.ok(existsSync(file), 'a scenario');
    // A boot more; one of each kind.
    if (bench === undefined) return;
    const again = await onTheBench(played.kernel, file, join(place, 'bench'));
    t.ok(['pass', 'known'].includes(again.verdict), JSON.stringify(again.findings, null, 1));
    t.ok(alike(again.linearMap.init, inside.linearMap.live), JSON.stringify(again.linearMap.init));
    t.same(findingsAt(again, 'init'), findingsAt(inside, 'live'), 'findings on the bench');
  });
}

t.test('a kernel with a planted defect', { timeout: 0 }, async (t) => {
  const stock = await loadKernel('debian:7.3');
  const place = t.testdir({ image: {}, board: {} });
  const played = await playBoard(withWritableAlias(join(place, 'image'), stock), 'max');
  const inside = await compare(t, played, join(place, 'board'));
  t.equal(inside.verdict, 'fail');
  t.equal(inside.symbols.grade, 'mismatch');
  const alias = 'invariant/kernel-text-read-only/linear-alias-writable';
  t.ok(findingsAt(inside, 'live').includes(alias));
});

t.test('a kernel that gives only its own dump', { timeout: 0 }, async (t) => {
  const { kernel, scenario, evidence, archive } = await playBoard('source:7.3', 'max+kaslr');
  const outside = judgeCase(kernel, scenario, evidence, known).judgement;
  const directory = t.testdir({});
  const path = join(directory, 'board.tar.gz');
  writeFileSync(path, archive);
  const board = dumpedBoard(await readArchive(path), path);
  const { result } = judgeDump(board, { name: 'board+played', directory }, known);
  t.same(result.findings, []);
  t.same(steady(given(result.linearMap.live)), steady(given(outside.linearMap.init)), 'leaves');
  // PAGE_OFFSET is memstart_addr's place, with all 52 bits in use.
  const { memstart_addr: memstart } = given(evidence.captures.at(-1)).variables;
  t.equal(board.vaMinusPa, board.linear.start - BigInt.asIntN(64, given(memstart)));
});
