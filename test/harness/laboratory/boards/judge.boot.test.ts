// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { kernelOf } from '../../../../harness/laboratory/boards/board-kernel.ts';
import { judgeBoard } from '../../../../harness/laboratory/boards/judge-board.ts';
import { judgeBoards } from '../../../../harness/laboratory/boards/judge-boards.ts';
import { judgeUnknown } from '../../../../harness/laboratory/boards/judge-unknown.ts';
import { readArchive } from '../../../../harness/laboratory/boards/read-archive.ts';
import { type WholeBoard, wholeBoard } from '../../../../harness/laboratory/boards/whole-board.ts';
import type { LoadedKernel } from '../../../../harness/laboratory/loaded-kernel.ts';
import { questionOf } from '../../../../harness/laboratory/question.ts';
import type { CaseResult } from '../../../../src/diff/types.ts';
import { PtdiffError } from '../../../../src/errors.ts';
import { imageOf } from '../../../../src/evidence/board-evidence.ts';
import { bootCpus, idRegistersOf, scenarioOf } from '../../../../src/evidence/board-scenario.ts';
import { predict } from '../../../../src/model/predict.ts';
import type { DescriptorRun } from '../../../../src/vmsa/walk-runs.ts';
import { given } from '../../../given.ts';
import { numbersOf } from '../../../random.ts';
import { archiveOf, inOrder, membersOfTar, runsOfPrediction } from './board-archive.ts';

const fixture = join(import.meta.dirname, '../../../evidence/fixtures/board-7.3-max.tar.gz');
const real = wholeBoard(await readArchive(fixture), fixture);
const found = await kernelOf(real, real.vmcoreinfo, undefined, {});
if (!('kernel' in found)) throw new Error(found.lacks);
const { kernel } = found;

const linearEnd = 0xffff_8000_0000_0000n;

type Tap = Pick<typeof t, 'testdir'>;

function judged(t: Tap, board: WholeBoard, by: LoadedKernel = kernel): CaseResult {
  return judgeBoard(board, by, { name: 'board+test', directory: t.testdir() }, []).result;
}

/** The board with one page of the linear map changed: runs are cut around it. */
function withPage(pa: number, change: (descriptor: bigint) => bigint | undefined): WholeBoard {
  const va = 0xfff0_0000_0000_0000n + BigInt(pa - 2 ** 30);
  const descriptors = real.descriptors.flatMap((run): DescriptorRun[] => {
    const index = Number((va - run.va) / 4096n);
    if (run.level !== 3 || va < run.va || index >= run.count) return [run];
    const at = (skipped: number) => ({
      va: run.va + BigInt(skipped) * 4096n,
      descriptor: run.descriptor + BigInt(skipped) * run.stride,
    });
    const changed = change(at(index).descriptor);
    return [
      { ...run, count: index },
      ...(changed === undefined ? [] : [{ ...run, ...at(index), count: 1, descriptor: changed }]),
      { ...run, ...at(index + 1), count: run.count - index - 1 },
    ].filter(({ count }) => count > 0);
  });
  return { ...real, descriptors };
}

t.test('a real board is exact, by the kernel that its build ID names', async (t) => {
  t.equal(kernel.image.release, '7.3.4+deb13-arm64');
  const result = judged(t, real);
  t.equal(result.verdict, 'pass');
  t.match(result.symbols, { grade: 'exact', splits: '0' });
  t.match(Object.keys(result.linearMap), ['live']);
  t.equal(result.linearMap.live?.page, 2 ** 30 - given(result.linearMap.live).invalid);
  t.match(result.notes?.join('\n'), /predicted, not read/);
});

t.test('what is planted is found', async (t) => {
  const text = 0x4100_0000;
  const data = 0x6000_0000;
  const planted: [string, WholeBoard, string][] = [
    [
      'a writable alias of text',
      withPage(text, (word) => (word | (1n << 51n)) & ~(1n << 7n)),
      'invariant/kernel-text-read-only/linear-alias-writable@live',
    ],
    ['a hole', withPage(data, () => undefined), 'invariant/linear-map-is-ram/ram-not-mapped@live'],
    [
      'a wrong nG',
      withPage(data, (word) => word | (1n << 11n)),
      'invariant/global-bit/non-global-without-kpti@live',
    ],
    [
      'another address',
      withPage(data, (word) => word + 4096n),
      'invariant/linear-map-is-ram/wrong-address@live',
    ],
    [
      'a contiguous group of one',
      withPage(data, (word) => word | (1n << 52n)),
      'invariant/sound-tables/a-contiguous-group-is-partial@live',
    ],
  ];
  for (const [what, board, id] of planted) {
    const result = judged(t, board);
    t.equal(result.verdict, 'fail', what);
    t.equal(result.symbols.grade, 'mismatch', what);
    const ids = result.findings.map((finding) => finding.id);
    t.ok(ids.includes(id), `${what}: ${ids.join(' ')}`);
  }
});

t.test('a place that never held still is no hole', async (t) => {
  const pa = 0x6000_0000;
  const va = 0xfff0_0000_0000_0000n + BigInt(pa - 2 ** 30);
  const unsettled = [{ start: va, end: va + 4096n }];
  const result = judged(t, { ...withPage(pa, () => undefined), unsettled });
  t.match(result, { verdict: 'pass', findings: [], symbols: { grade: 'exact' } });
});

t.test('another kernel is refused', async (t) => {
  const info = real.vmcoreinfo;
  await t.rejects(kernelOf(real, info, 'debian:6.12', {}), {
    fault: 'usage',
    message: /--kernel debian:6\.12 is not the kernel of the board .*: it is 6\.12/,
  });
  const rebuilt = { ...info, buildId: '0'.repeat(40) };
  await t.rejects(kernelOf(real, rebuilt, 'debian:7.3.4', {}), { message: /another build/ });
  t.match(await kernelOf(real, { ...info, release: '7.3.4-mine' }, undefined, {}), {
    lacks: /7\.3\.4-mine, build ID df749f9a.*--kernel file:PATH/,
  });
});

t.test('tables that no registers describe are refused', async (t) => {
  const broken = { ...real, vmcoreinfo: { ...real.vmcoreinfo, t1sz: 50 } };
  t.throws(() => judged(t, broken), {
    fault: 'usage',
    message: /^The tables of the board cannot be walked .*: TCR_EL1\.T1SZ is 50, [^.]*\.$/,
  });
});

t.test('a board whose kernel nobody has is held to what needs no symbol', async (t) => {
  const place = () => ({ name: 'board+test', directory: t.testdir() });
  const { result } = judgeUnknown(real, 'Its kernel is lost.', place(), []);
  t.same(result.findings, []);
  t.match(result, { verdict: 'pass', symbols: { grade: 'not predicted' } });
  t.same(result.linearMap, judged(t, real).linearMap);
  t.match(result.notes?.[0], /^Its kernel is lost\. Nothing is predicted/);
  const odd = withPage(0x6000_0000, () => undefined);
  const { result: broken } = judgeUnknown(odd, 'Its kernel is lost.', place(), []);
  t.match(broken.findings, [{ id: 'invariant/linear-map-is-ram/ram-not-mapped@live' }]);
  t.equal(broken.verdict, 'fail');
});

/** Of a kernel that lacks its types, sysfs has these registers alone. */
function withoutIdRegisters(members: ReadonlyMap<string, Buffer>): Map<string, Buffer> {
  const cpus = String(given(members.get('cpus'))).replaceAll(/ ID_AA64\w+=[0-9a-f]+/g, '');
  return new Map([...members, ['cpus', Buffer.from(cpus)]]);
}

t.test('of CPUs that nobody knows nothing is predicted', async (t) => {
  const members = withoutIdRegisters(membersOfTar(gunzipSync(readFileSync(fixture))));
  t.match(String(members.get('cpus')), /^0 online MIDR_EL1=f0510 REVIDR_EL1=0 AIDR_EL1=0\n$/);
  const folder = t.testdir({ 'board.tar.gz': archiveOf(members) });
  const judge = (name: string) =>
    judgeBoards(
      { files: [join(folder, name)], labels: [], out: join(folder, 'run') },
      new AbortController().signal,
    );
  const { cases, fleet } = await judge('board.tar.gz');
  const { verdict, symbols, linearMap, notes } = given(cases[0]);
  t.match({ verdict, symbols }, { verdict: 'pass', symbols: { grade: 'not predicted' } });
  // Neither the depth of the tables nor what their entries mean is lost.
  t.same(linearMap, judged(t, real).linearMap);
  t.match(notes?.[0], /^The ID registers of its CPUs are not known\. Nothing is predicted/);
  t.same(fleet, []);
  const dumped = new Map([...members, ['cpus', Buffer.alloc(0)]]);
  writeFileSync(join(folder, 'dump.tar.gz'), archiveOf(dumped));
  t.same(given((await judge('dump.tar.gz')).cases[0]).linearMap, linearMap, 'and of no CPU at all');
});

t.test('a realm whose kernel nobody has is not blamed for what it shares', async (t) => {
  const archive = join(
    import.meta.dirname,
    '../../../evidence/fixtures/board-7.3-realm+max.tar.gz',
  );
  const realm = wholeBoard(await readArchive(archive), archive);
  t.not(realm.variables.prot_ns_shared ?? 0n, 0n);
  const place = () => ({ name: 'board+test', directory: t.testdir() });
  const { result } = judgeUnknown(realm, 'Its kernel is lost.', place(), []);
  t.same(result.findings, []);
  t.equal(result.verdict, 'pass');
  const { prot_ns_shared: _, ...others } = realm.variables;
  const unsaid = judgeUnknown({ ...realm, variables: others }, 'It is lost.', place(), []);
  t.match(unsaid.result.findings, [{ id: 'invariant/linear-map-is-ram/wrong-address@live' }]);
});

t.test('with debug_pagealloc, what is not valid may be free', async (t) => {
  const { traits } = kernel;
  const config = { ...traits.config, debugPagealloc: true };
  const debugging = { ...kernel, traits: { ...traits, config } };
  const free = 0x6000_0000;
  // As __kernel_map_pages() leaves a page since 15bfba1ad77f.
  const invalid = (word: bigint) => (word & ~1n) | (1n << 11n);
  const board = (change: (descriptor: bigint) => bigint | undefined, pa = free): WholeBoard => ({
    ...withPage(pa, change),
    variables: { ...real.variables, _debug_pagealloc_enabled_early: 1n },
    files: {
      ...real.files,
      '/proc/cmdline': `debug_pagealloc=on ${given(real.files['/proc/cmdline'])}`,
    },
  });
  const result = judged(t, board(invalid), debugging);
  t.same(result.findings, []);
  t.match(result, { verdict: 'pass', symbols: { grade: 'exact' } });
  t.match(
    result.notes?.join('\n'),
    /debug_pagealloc.* 1 page of the linear map is not valid and may/,
  );
  t.notMatch(result.notes?.join('\n'), /KPTI/, 'which is off');
  const text = judged(t, board(invalid, 0x4100_0000), debugging);
  t.equal(text.verdict, 'fail', 'text is never free');
  t.equal(
    judged(
      t,
      board(() => undefined),
      debugging,
    ).verdict,
    'fail',
    'an empty entry',
  );
});

/** The board with other memory, mapped as the model says. */
function withMemory(memory: WholeBoard['memory'], directory: { tables: number }): WholeBoard {
  const board = { ...real, memory, secret: [] };
  const cpus = bootCpus(board, board.vmcoreinfo);
  const facts = {
    idRegisters: idRegistersOf(cpus, board),
    image: imageOf(board.vmcoreinfo, kernel.symbols.textBase),
    ...{ readOnlyVmalloc: {}, splitRequests: [], sharing: [], probePages: [] },
  };
  const scenario = scenarioOf(board, board.vmcoreinfo, 'board+test');
  const { checkpoints } = predict({ ...questionOf(kernel, scenario, facts), live: true });
  const linear = runsOfPrediction(given(checkpoints.live), 4096, directory.tables);
  const own = real.descriptors.filter(
    ({ level, va }) => va >= linearEnd || (level === -1 && va > 0xfff0_0000_0000_0000n),
  );
  const isOwn = ({ level, va }: DescriptorRun) =>
    own.some((other) => other.level === level && other.va === va);
  const descriptors = inOrder([...linear.filter((run) => !isOwn(run)), ...own]);
  return { ...board, descriptors };
}

t.test('a terabyte in pages, in two banks, takes less than a gigabyte', async (t) => {
  const bank = (start: number, size: number) => ({ start, end: start + size, flags: 0, node: 0 });
  const memory = [bank(2 ** 30, 2 ** 37), bank(2 ** 41, 2 ** 40 - 2 ** 37)];
  const result = judged(t, withMemory(memory, { tables: 2 ** 32 }));
  const differing = result.findings.map(({ id, detail }) => `${id} ${detail.slice(0, 200)}`);
  t.same(
    differing.filter((finding) => !/read-only-vmalloc/.test(finding)),
    [],
  );
  t.equal(result.linearMap.live?.page, 2 ** 40 - given(result.linearMap.live).invalid);
  const { maxRSS } = process.resourceUsage();
  t.ok(maxRSS < 2 ** 20, `${Math.round(maxRSS / 1024)} MiB`);
});

t.test('an archive that was changed is judged, or ends in one sentence', async (t) => {
  const members = membersOfTar(gunzipSync(readFileSync(fixture)));
  const number = numbersOf(23);
  const below = (limit: number): number => Math.floor(number() * limit);
  const names = ['vmcoreinfo', 'descriptors', 'variables', 'memblock', 'cpus', 'secret', 'iomem'];
  const told = { judged: 0, refused: 0 };
  const path = join(t.testdir(), 'board.tar.gz');
  for (let round = 0; round < 40; round++) {
    const name = given(names[below(names.length)]);
    const lines = given(members.get(name)).toString('latin1').split('\n');
    const line = below(lines.length);
    // A digit changes: what results is mostly well-formed, and wrong.
    const digits = [...given(lines[line])];
    const at = below(digits.length || 1);
    if (/[0-9a-f]/.test(digits[at] ?? '')) digits[at] = below(16).toString(16);
    const changed = Buffer.from(lines.with(line, digits.join('')).join('\n'), 'latin1');
    writeFileSync(path, archiveOf(new Map(members).set(name, changed)));
    try {
      judged(t, wholeBoard(await readArchive(path), path));
      told.judged++;
    } catch (error) {
      if (!(error instanceof PtdiffError) || error.fault !== 'usage')
        throw new Error(`round ${round}, ${name} ${line}: ${String(error)}`, { cause: error });
      t.match(error.message, /^[ -~…]+\.$/);
      told.refused++;
    }
  }
  t.ok(told.judged > 10 && told.refused > 2, JSON.stringify(told));
});
