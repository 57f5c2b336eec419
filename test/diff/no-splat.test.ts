// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { noSplat } from '../../src/diff/invariants/no-splat.ts';
import { given } from '../given.ts';
import { soundContext } from './synthetic.ts';

function warning(time: string, offset: string, pid: number): string {
  return [
    `[${time}] ------------[ cut here ]------------`,
    `[${time}] WARNING: CPU: 0 PID: ${pid} at arch/arm64/mm/pageattr.c:${pid} pageattr_pmd_entry+0x${offset}/0x90`,
    `[${time}] Modules linked in:`,
    `[${time}] CPU: 0 UID: 0 PID: ${pid} Comm: swapper/0 Not tainted`,
    `[${time}] pc : pageattr_pmd_entry+0x${offset}/0x90`,
    `[${time}] lr : walk_pgd_range+0x${offset}/0x90`,
    `[${time}] Call trace:`,
    `[${time}]  pageattr_pmd_entry+0x${offset}/0x90 (P)`,
    `[${time}]  update_range_prot+0x4c/0xa0`,
    `[${time}] ---[ end trace 0000000000000000 ]---`,
    '',
  ].join('\n');
}

function findingsOf(console: string, dmesg = '') {
  const { evidence, ...boot } = soundContext();
  return noSplat({ ...boot, evidence: { ...evidence, console, files: { dmesg } } });
}

t.test('a quiet boot', (t) => {
  t.same(findingsOf('[    0.000000] Booting Linux\n', ''), []);
  t.end();
});

t.test('the same complaint is one finding, with one id on every day', (t) => {
  const log = warning('    0.100000', '3c', 1);
  const [finding, ...more] = findingsOf(log, log);
  t.same(more, []);
  t.match(finding, {
    kind: 'splat',
    id: 'splat/warning/warning-in-pageattr_pmd_entry-at-arch-arm64-mm-pageattr-c',
  });
  t.match(finding?.detail, /^Seen 1 time\. Call chain: pageattr_pmd_entry <- update_range_prot\n/);
  t.ok(finding?.detail.split('\n').every((line) => line.length <= 100));
  const later = given(findingsOf(warning('   12.345678', '44', 77))[0]);
  t.equal(later.id, finding?.id);
  t.match(
    given(findingsOf(log, log + warning('    0.200000', '3c', 1))[0]).detail,
    /^Seen 2 times/,
    'the fuller log counts',
  );
  t.equal(given(findingsOf('', log)[0]).id, finding?.id, 'in dmesg only');
  t.end();
});

t.test('complaints come in the order of their ids, whatever the order in the log', async (t) => {
  const other = (name: string) =>
    warning('    0.100000', '3c', 1).replaceAll('pageattr_pmd_entry', name);
  const ids = [...findingsOf(other('later') + other('earlier'))].map(({ id }) => id);
  t.same(ids, [
    'splat/warning/warning-in-earlier-at-arch-arm64-mm-pageattr-c',
    'splat/warning/warning-in-later-at-arch-arm64-mm-pageattr-c',
  ]);
});

t.test('a finding holds 40 lines of a report, and says how many there are more', async (t) => {
  const long = (lines: number) => {
    // The report as it is has ten lines.
    const log = warning('    0.100000', '3c', 1).replace(/.* lr : .*\n/, (line) =>
      line.repeat(lines - 9),
    );
    return given(findingsOf(log)[0]).detail.split('\n').slice(1);
  };
  t.equal(long(40).length, 40);
  t.match(long(40)[39], 'end trace');
  const longer = long(43);
  t.equal(longer.length, 41);
  t.match(longer[39], 'Call trace');
  t.equal(longer[40], '… and 3 more lines');
});

t.test('of several reports, one with a call chain is shown, however short', async (t) => {
  const report = warning('    0.100000', '3c', 1);
  const without = report
    .replace(/.*Call trace:\n(.*\+0x.*\n)*/, '')
    .replace(/.* (pc|lr) : .*\n/g, '');
  const short = report.replace(/.* update_range_prot.*\n/, '');
  const chainOf = (log: string) => given(findingsOf(log)[0]).detail.match(/Call chain: (.*)/)?.[1];
  t.equal(chainOf(without), 'none in the report');
  t.equal(chainOf(without + short), 'pageattr_pmd_entry');
});

t.test('two complaints of one checker are two findings', (t) => {
  const ubsan = (file: string) =>
    `[    2.738900] UBSAN: array-index-out-of-bounds in ${file}:2101:44\n[    2.739862] ---[ end trace ]---\n`;
  t.same(
    findingsOf(ubsan('arch/arm64/kvm/arm.c') + ubsan('mm/slub.c')).map(({ id }) => id),
    [
      'splat/ubsan/ubsan-array-index-out-of-bounds-in-arch-arm64-kvm-arm-c',
      'splat/ubsan/ubsan-array-index-out-of-bounds-in-mm-slub-c',
    ],
  );
  t.end();
});
