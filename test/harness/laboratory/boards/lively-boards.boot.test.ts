// SPDX-License-Identifier: GPL-2.0-only
/**
 * Boards that have run: their kernels have split the linear map before collect came, or do so while
 * it reads. Neither is ever a finding, and what is planted in the same map stays one.
 */

import { join } from 'node:path';
import t from 'tap';
import type { DescriptorRun } from '../../../../src/vmsa/walk-runs.ts';
import { given } from '../../../given.ts';
import { membersOf, type PlayedBoard, playBoard } from '../../../guest/play-board.ts';
import { archiveOf, parseDescriptors } from './board-archive.ts';
import { compare, judged } from './judge-played.ts';

// Downloads and boots take as long as they take; the test runner has a limit of its own.
t.setTimeout(0);

/** Changes one page's entry of the last level in an archive. */
function withPage(
  played: PlayedBoard,
  va: bigint,
  change: (descriptor: bigint) => bigint,
): PlayedBoard {
  const members = membersOf(played.archive);
  const granule = BigInt(given(/^PAGESIZE=(\d+)$/m.exec(`${members.get('vmcoreinfo')}`)?.[1]));
  const text = given(members.get('descriptors')).toString();
  const hex = (value: bigint): string => BigInt.asUintN(64, value).toString(16);
  const line = ({ level, va: at, count, descriptor, stride }: DescriptorRun): string =>
    count > 0
      ? `${level} ${hex(at)} ${count.toString(16)} ${hex(descriptor)} ${hex(stride)}\n`
      : '';
  let changed = 0;
  const lines = parseDescriptors(text).map((run) => {
    const index = Number((va - run.va) / granule);
    if (run.level !== 3 || va < run.va || index >= run.count) return line(run);
    changed++;
    const from = (skipped: number, count: number): DescriptorRun => ({
      ...{ ...run, count },
      va: run.va + BigInt(skipped) * granule,
      descriptor: run.descriptor + BigInt(skipped) * run.stride,
    });
    const one = from(index, 1);
    return [
      line(from(0, index)),
      line({ ...one, descriptor: change(one.descriptor) }),
      line(from(index + 1, run.count - index - 1)),
    ].join('');
  });
  if (changed !== 1) throw new Error(`${changed} entries at ${hex(va)}`);
  const [root = ''] = text.split('\n');
  members.set('descriptors', Buffer.from(`${root}\n${lines.join('')}`));
  return { ...played, archive: archiveOf(members) };
}

/** Bits of a page's descriptor (DDI 0487, D8.3.1). */
const plants: [string, (descriptor: bigint) => bigint, RegExp][] = [
  ['nG', (entry) => entry ^ (1n << 11n), /^invariant\/global-bit\/non-global-without-kpti@live$/],
  ['a hole', () => 0n, /^invariant\/linear-map-is-ram\/ram-not-mapped@live$/],
  ['read-only', (entry) => (entry | (1n << 7n)) & ~(1n << 51n), /^mismatch\//],
  ['one of a group', (entry) => entry | (1n << 52n), /a-contiguous-group-is-partial@live$/],
];

for (const [spec, scenario] of [
  ['debian:7.3', 'neoverse-v3-r0p2'],
  ['debian:6.18', 'neoverse-v3-r0p2'],
  ['debian:7.3:16k', 'neoverse-v3-r0p2'],
] as const)
  t.test(`${spec} ${scenario}: what was split before is explained`, { timeout: 0 }, async (t) => {
    const played = await playBoard(spec, scenario, 'past');
    const place = t.testdir({ board: {}, planted: {} });
    const inside = await compare(t, played, join(place, 'board'));
    t.match(inside, { verdict: 'pass', findings: [], symbols: { grade: 'explained' } });
    const splits = Number(inside.symbols.splits);
    t.ok(splits > 0);
    const words = new RegExp(`: explained by ${splits} splits? .*: (0x[0-9a-f]+)`);
    const [, first] = words.exec(given(inside.notes?.[0])) ?? [];
    for (const [what, change, id] of plants) {
      const broken = withPage(played, BigInt(given(first)), change);
      const { verdict, symbols, findings } = await judged(join(place, 'planted'), broken);
      t.match({ verdict, grade: symbols.grade }, { verdict: 'fail', grade: 'mismatch' }, what);
      t.ok(
        findings.some((finding) => id.test(finding.id)),
        `${what}: ${findings.map((finding) => finding.id).join(' ')}`,
      );
    }
  });

for (const [spec, scenario] of [
  ['debian:7.3', 'neoverse-v3-r0p2'],
  ['debian:7.3', 'max'],
  ['debian:6.18', 'neoverse-v3-r0p2'],
  ['debian:7.3', 'max+devices'],
] as const)
  t.test(
    `${spec} ${scenario}: what changes while it is read is no finding`,
    { timeout: 0 },
    async (t) => {
      const played = await playBoard(spec, scenario, 'busy');
      const members = membersOf(played.archive);
      const { settled, walks } = JSON.parse(`${members.get('collect.json')}`);
      t.comment(`${walks} walks, ${settled ? 'settled' : 'not settled'}`);
      t.equal(members.has('unsettled') || settled, true, 'what never settled is named');
      const result = await judged(t.testdir({}), played);
      t.match(result, { verdict: 'pass', findings: [] });
      t.ok(['exact', 'explained'].includes(`${result.symbols.grade}`));
    },
  );
