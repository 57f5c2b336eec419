// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import type { UpdateSite } from '../../src/bbm/check-updates.ts';
import { judge } from '../../src/diff/judge.ts';
import { faultOf, updateFindings } from '../../src/diff/update-findings.ts';
import { given } from '../given.ts';
import { caseOf, issue } from './judged.ts';

const site: UpdateSite = {
  site: '__pi_map_range+0x1c4',
  chain: ['map_kernel', 'start_kernel'],
  reason: 'the contiguous bit changes',
  missing: 'a DSB after the TLBI',
  counts: [720, 720, 0, 0],
  claimed: 720,
  example: {
    va: 0xffff_8000_8001_0000n,
    level: 3,
    old: 0xe8_0000_4021_0403n,
    new: 0xd0_0000_4021_0483n,
    cpu: 1,
    time: 772_035,
  },
};
const live: UpdateSite = { ...site, missing: undefined, site: 'f.constprop.0+0x8', claimed: 1 };
const words = (text: string) => text.replace(/\s+/g, ' ');
const id = 'update/contiguous-bit/__pi_map_range/no-dsb-after-tlbi';

t.test('a finding for each way of each function, whatever its offset in this build', (t) => {
  const sites = [site, live, { ...site, site: '__pi_map_range+0x200', claimed: 2 }];
  const { captures } = caseOf().boot.evidence;
  const found = updateFindings({ sites, levels: [0, 1] }, captures, true);
  t.same(
    found.map(({ id }) => id),
    [id, 'update/contiguous-bit/f/not-broken'],
  );
  const [{ title, kind, ...first }, other] = [given(found[0]), given(found[1])];
  const detail = words(first.detail);
  t.equal(kind, 'update');
  t.equal(
    title,
    '__pi_map_range() changes an entry that a TLB may hold: the contiguous bit changes, after a break that lacks a DSB after the TLBI',
  );
  t.match(detail, /DDI 0487 D8\.7\.1, D8\.16\.1 and D8\.17/);
  t.match(detail, /this is missing: a DSB after the TLBI\./);
  t.match(detail, /have FEAT_BBM level 0 and 1 .* The kernel trusts them/);
  t.match(
    detail,
    / 720 times at __pi_map_range\+0x1c4, in map_kernel <- start_kernel; the first one at 0\.772035 s on CPU 1, level 3, 0xffff800080010000: from 0xe8000040210403: pages \(4 KiB\), valid, EL1 rw- .* to 0xd0000040210483: contiguous pages/,
  );
  t.match(detail, / 2 times at __pi_map_range\+0x200/);
  t.match(words(other.detail), /it was not made invalid at all/);
  t.match(
    updateFindings({ sites, levels: [0] }, [], false)[0]?.detail,
    /^ {4}from 0xe8000040210403$/m,
    'without registers a descriptor is a number',
  );
  t.end();
});

t.test('what a function leaves in the TLB is told of it', (t) => {
  const left: UpdateSite = {
    ...site,
    ...{ site: 'secretmem_fault', chain: ['handle_mm_fault'] },
    ...{ reason: 'what it made invalid stays in the TLB', missing: 'a TLBI' },
  };
  const [found] = updateFindings({ sites: [left], levels: [2] }, [], false);
  t.match(found, {
    id: 'update/left-in-tlb/secretmem_fault/no-tlbi',
    title:
      'secretmem_fault() lets go of what it made invalid while a TLB may hold it: a TLBI is missing',
  });
  t.match(
    words(given(found).detail),
    /DDI 0487 D8\.17\).* 720 times at secretmem_fault, in handle_mm_fault;/,
  );
  t.equal(faultOf(left), 'what it made invalid stays in the TLB: a TLBI is missing');
  t.end();
});

t.test('code without a name is called by the function that it is recorded in', (t) => {
  const idAt = (where: string, chain: string[]) =>
    updateFindings({ sites: [{ ...site, site: where, chain }], levels: [0] }, [], false)[0]?.id;
  t.equal(
    idAt('0xffff80007a001234', ['set_memory_ro']),
    id.replace('__pi_map_range', 'set_memory_ro'),
  );
  t.equal(idAt('0xffff80007a001234', []), id.replace('__pi_map_range', 'unnamed'));
  t.end();
});

t.test('what the CPUs claim to allow is no finding, but it is in the table', (t) => {
  const judged = (updates: UpdateSite[], known = issue) =>
    judge({ ...caseOf(undefined, [known]), updates: { sites: updates, levels: [2] } });
  const allowed = judged([{ ...site, claimed: 0 }]);
  t.equal(allowed.verdict, 'pass');
  t.match(allowed.updates, [{ site: site.site, counts: [720, 720, 0, 0] }]);
  t.notOk('example' in given(allowed.updates?.[0]));
  t.equal(judged([site]).verdict, 'fail');
  t.equal(judged([site], { ...issue, match: [id] }).verdict, 'known');
  t.equal(judge(caseOf()).updates, undefined, 'a boot that was not recorded');
  t.end();
});
