// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import type { UpdateRow } from '../../src/diff/types.ts';
import { painter } from '../../src/report/colour.ts';
import { updatesTable } from '../../src/report/html/updates-table.ts';
import { notWitnessed } from '../../src/report/limits.ts';
import { formatUpdates, updateLines } from '../../src/report/terminal-updates.ts';
import { given } from '../given.ts';

const row: UpdateRow = {
  site: 'split_pmd+0x168',
  chain: ['set_memory_ro'],
  reason: 'the contiguous bit changes',
  counts: [1264, 1264, 0, 0],
  claimed: 3,
};
const paint = painter({ colour: false, width: 100 });

t.test('the table of sites by level: terminal and HTML', (t) => {
  const lines = updateLines([row], paint).join('\n');
  t.match(lines, /level 0 {2}level 1 {2}level 2 {2}level 3 {2}these CPUs$/m);
  t.match(lines, /^ +1,264 +1,264 +- +- +3 {2}split_pmd\+0x168$/m);
  t.match(lines, /the contiguous bit changes, while the entry was valid/);
  t.match(lines, /may end in a TLB conflict abort/);
  t.notMatch(updateLines([{ ...row, counts: [2, 2, 2, 2] }], paint).join('\n'), /conflict abort/);
  const page = given(updatesTable([row])).text;
  t.match(page, /<code>split_pmd\+0x168<\/code> <small>in set_memory_ro<\/small>/);
  t.match(page, /<td class="num">1,264<\/td><td class="num">1,264<\/td><td class="num">–/);
  t.match(page, /<td class="num differs">3<\/td>/);
  t.match(page, /conflict abort/);
  t.end();
});

t.test('a boot that broke no rule, and one that was not recorded', (t) => {
  t.match(updateLines([], paint), [/allowed at every level/]);
  t.match(updatesTable([])?.text, /allowed at every level/);
  t.same(updateLines(undefined, paint), []);
  t.equal(updatesTable(undefined), undefined);
  t.match(formatUpdates([], undefined), /^No entry .* the CPUs of the case do not allow\.$/m);
  t.match(formatUpdates([], 1), /^No entry .* FEAT_BBM level 1 does not allow\.$/m);
  t.end();
});

t.test('what was not witnessed depends on whether every case was recorded', (t) => {
  const what = (...cases: { updates?: UpdateRow[] }[]) =>
    notWitnessed(cases).map((limit) => limit.what);
  t.ok(what({ updates: [] }, {}).includes('Most missing TLB invalidations'));
  t.notOk(what({ updates: [] }).includes('Most missing TLB invalidations'));
  t.ok(what().includes('Most missing TLB invalidations'), 'no case at all');
  t.end();
});
