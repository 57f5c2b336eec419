// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { judgeBoards } from '../../../../harness/laboratory/boards/judge-boards.ts';
import { judgeDump } from '../../../../harness/laboratory/boards/judge-dump.ts';
import { judgeUnknown } from '../../../../harness/laboratory/boards/judge-unknown.ts';
import { readArchive } from '../../../../harness/laboratory/boards/read-archive.ts';
import { wholeBoard } from '../../../../harness/laboratory/boards/whole-board.ts';
import { knownIssuesFolder } from '../../../../harness/laboratory/laboratory.ts';
import { loadKnownIssues } from '../../../../results/known-issues.ts';
import type { CaseResult } from '../../../../src/diff/types.ts';
import { dumpedBoard } from '../../../../src/evidence/board-dump.ts';
import { given } from '../../../given.ts';
import { archiveOf, membersOfTar } from './board-archive.ts';
import { dumpMembers } from './dump-archive.ts';
import { writtenDump } from './written-dump.ts';

const signal = new AbortController().signal;

/** What `ptdiff judge` makes of an archive. */
async function judged(
  { testdir }: Pick<typeof t, 'testdir'>,
  members: Map<string, Buffer>,
  more: { kernel?: string } = {},
): Promise<CaseResult> {
  const folder = testdir({});
  const file = join(folder, 'board.tar.gz');
  writeFileSync(file, archiveOf(members));
  const request = { files: [file], labels: [], out: join(folder, 'run'), ...more };
  const { cases, refused, fleet } = await judgeBoards(request, signal);
  t.same({ refused, fleet }, { refused: 0, fleet: [] });
  return given(cases[0]);
}

/** Replaces the first part of a text, which must be there. */
const planted =
  (from: string, to: string) =>
  (dump: string): string => {
    if (!dump.includes(from)) throw new Error(`no ${from}`);
    return dump.replace(from, to);
  };

for (const name of ['a76', 'v3'])
  t.test(`a sound dump breaks no invariant: ${name}`, async (t) => {
    const result = await judged(t, dumpMembers(name));
    t.same(result.findings, []);
    t.match(result, { verdict: 'pass', symbols: { grade: 'not predicted' } });
    const sizes = Object.values(given(result.linearMap.live));
    const bytes = sizes.reduce((sum, each) => sum + each, 0);
    t.equal(bytes, 128 * 2 ** 20, 'the linear map covers all memory');
    const notes = given(result.notes).join('\n');
    t.match(notes, /^Only the kernel's own dump .*nothing is both writable and executable/);
    t.match(notes, /it covers all memory of \/proc\/iomem and no more/);
    t.match(notes, /Nothing is predicted: a dump has no physical addresses/);
    t.match(notes, /Not collected: Only the kernel's own dump/);
  });

t.test('a real archive, of a guest without kcore and BPF, with LPA2 and KASLR', async (t) => {
  const path = join(import.meta.dirname, '../../../evidence/fixtures/board-7.3-ptdump.tar.gz');
  const result = await judged(t, membersOfTar(gunzipSync(readFileSync(path))));
  t.same(result.findings, []);
  t.match(result, { verdict: 'pass', kernel: { release: '7.3.4' } });
  const { page = 0, invalid = 0 } = given(result.linearMap.live);
  t.equal(page + invalid, 2 ** 30);
  const notes = given(result.notes).join('\n');
  t.match(notes, /it covers all memory of \/proc\/iomem/);
  t.match(notes, /in it the kernel code of \/proc\/iomem is read-only/);
  t.notMatch(notes, /inner shareable/, 'with LPA2 a dump does not show it');
  t.match(notes, /Not collected: The kernel has neither \/proc\/kcore nor bpf\(2\)/);
});

t.test('a kernel that is named is not used, and that is said', async (t) => {
  const unused =
    /^--kernel debian:7\.3 is not used: such an archive has nothing to predict from\.$/m;
  const named = await judged(t, dumpMembers('a76'), { kernel: 'debian:7.3' });
  t.match(named.notes?.join('\n'), unused);
  t.match(named, { verdict: 'pass', symbols: { grade: 'not predicted' } });
  t.notMatch((await judged(t, dumpMembers('a76'))).notes?.join('\n'), /--kernel/);
});

t.test('what is planted in a dump is found', async (t) => {
  const first = '0xffff000000000000-0xffff000000200000           2M PTE       ';
  const sound = `${first}RW NX SHD AF            UXN    MEM/NORMAL-TAGGED`;
  const with_ = (columns: string) => planted(sound, `${first}${columns}`);
  const plants: [string, (dump: string) => string, string[]][] = [
    [
      'writable and executable',
      planted('ro x  SHD AF    CON     UXN', 'RW x  SHD AF    CON     UXN'),
      ['write-xor-execute/writable-executable'],
    ],
    [
      'an executable alias',
      with_('ro x  SHD AF            UXN    MEM/NORMAL-TAGGED'),
      ['linear-map-not-executable/executable'],
    ],
    [
      'a writable alias of text',
      planted(
        '0xffff000000200000-0xffff000000500000           3M PTE       ro',
        '0xffff000000200000-0xffff000000500000           3M PTE       RW',
      ),
      ['kernel-text-read-only/linear-alias-writable'],
    ],
    [
      'open to user space',
      planted(sound, sound.replace('       RW', '   USR RW')),
      ['kernel-half-closed-to-user/user-access'],
    ],
    [
      'not cacheable',
      with_('RW NX SHD AF            UXN    MEM/NORMAL-NC'),
      ['linear-map-memory-type/not-write-back'],
    ],
    [
      'not shareable',
      with_('RW NX     AF            UXN    MEM/NORMAL-TAGGED'),
      ['inner-shareable/not-inner'],
    ],
    [
      'no access flag',
      with_('RW NX SHD               UXN    MEM/NORMAL-TAGGED'),
      ['access-flag/clear'],
    ],
    [
      'not global',
      with_('RW NX SHD AF NG         UXN    MEM/NORMAL-TAGGED'),
      ['global-bit/non-global-without-kpti'],
    ],
    ['a hole', planted(sound, first.trimEnd()), ['linear-map-is-ram/ram-not-mapped']],
  ];
  for (const [what, change, rules] of plants) {
    const result = await judged(t, dumpMembers('a76', change));
    t.equal(result.verdict, 'fail', what);
    t.same(
      result.findings.map(({ id }) => id),
      rules.map((rule) => `invariant/${rule}@live`),
      what,
    );
    t.notMatch(result.findings[0]?.detail, /→ PA/, 'no address that nobody knows');
  }
});

t.test('more than the memory of /proc/iomem is found', async (t) => {
  const members = dumpMembers('a76').set(
    'iomem',
    Buffer.from('40000000-43ffffff : System RAM\n45000000-47ffffff : System RAM\n'),
  );
  const result = await judged(t, members);
  t.match(result.findings, [{ id: 'invariant/linear-map-is-ram/not-ram@live' }]);
  t.match(
    result.findings[0]?.detail,
    /4094 leaves, 16376 KiB:/,
    'all but the pages at the borders',
  );
});

t.test('nothing is held against a board that is not known', async (t) => {
  const hidden = dumpMembers('a76').set('iomem', Buffer.from('00000000-00000000 : System RAM\n'));
  const blind = await judged(t, hidden);
  t.equal(blind.verdict, 'pass');
  t.match(blind.notes?.join('\n'), /Which memory the linear map covers is not known/);
  const open = dumpMembers('a76', planted('ro x  SHD', 'RW x  SHD')).set(
    'cmdline',
    Buffer.from('rodata=off\n'),
  );
  const writable = await judged(t, open);
  t.equal(writable.verdict, 'pass');
  t.match(writable.notes?.join('\n'), /With rodata=off the text may be writable/);
});

t.test('a damaged dump is refused in one sentence', async (t) => {
  await t.rejects(
    judged(
      t,
      dumpMembers('a76', (dump) => dump.slice(0, 3000)),
    ),
    { fault: 'usage', message: /board\.tar\.gz: The archive is damaged: .*; collect it again\.$/ },
  );
});

// Two CPUs that differ, where the kernel leaves a part of the text's alias writable; and a realm.
for (const [name, granule, verdict] of [
  ['6.18-monitor+v3+then-max', 4096, 'known'],
  ['7.3-16k-max+kaslr', 16384, 'pass'],
  ['7.3-realm+max', 4096, 'pass'],
] as const)
  t.test(`a dump of ${name} shows what its tables show`, async (t) => {
    const path = join(import.meta.dirname, `../../../evidence/fixtures/board-${name}.tar.gz`);
    const whole = wholeBoard(await readArchive(path), path);
    const files = { ...whole.files, kernel_page_tables: writtenDump(whole) };
    const board = dumpedBoard({ ...whole, files }, path);
    t.equal(board.granule, granule);
    const memstart = BigInt.asIntN(64, given(whole.variables.memstart_addr));
    t.equal(board.vaMinusPa, board.linear.start - memstart);
    const known = await loadKnownIssues(knownIssuesFolder);
    const place = { name: 'board+dump', directory: t.testdir({}) };
    const { result } = judgeDump(board, place, known);
    t.equal(result.verdict, verdict);
    t.same(
      result.findings.map((finding) => finding.known),
      verdict === 'known' ? ['mixed-cpus-text-alias-writable'] : [],
    );
    const unknown = judgeUnknown(whole, 'Its kernel is lost.', place, known);
    t.same(result.linearMap, unknown.result.linearMap);
  });
