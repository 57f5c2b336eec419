// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { dir } from 'tmp-promise';
import {
  type LoadedSide,
  loadSide,
  namedSide,
  pairCases,
  unlikeParts,
} from '../../../harness/laboratory/compare-sides.ts';
import { comparisonExit } from '../../../src/cli/compare-report.ts';
import type { ComparisonReport, SideIdentity } from '../../../src/report/compare/types.ts';
import { given, take } from '../../given.ts';
import { sampleReport } from '../../report/sample-run.ts';

const sample = sampleReport(1);

function side(spec: string, change: Partial<LoadedSide> = {}): LoadedSide {
  const cases = sample.cases.filter(
    ({ kernel, verdict }) => kernel.spec === spec && verdict !== 'error',
  );
  return { asked: spec, folder: 'run', run: sample.run, cases, ...change };
}

const specs = [...new Set(sample.cases.map(({ kernel }) => kernel.spec))];

t.test('a side is a folder, a folder with one of its kernels, or a kernel', async (t) => {
  const { path, cleanup } = await dir({ prefix: 'ptdiff-side-', unsafeCleanup: true });
  t.teardown(cleanup);
  t.same(namedSide(path), { kind: 'folder', folder: path });
  t.same(namedSide(`${path}@6.18`), { kind: 'folder', folder: path, kernel: '6.18' });
  t.same(namedSide('git:/src/linux@v7.3'), { kind: 'kernel', spec: 'git:/src/linux@v7.3' });
  t.same(namedSide('debian:7.3'), { kind: 'kernel', spec: 'debian:7.3' });
});

t.test(
  'a run folder gives the kernel that is asked for, by spec, release, or its beginning',
  async (t) => {
    const { path, cleanup } = await dir({ prefix: 'ptdiff-side-', unsafeCleanup: true });
    t.teardown(cleanup);
    mkdirSync(join(path, 'cases'));
    writeFileSync(join(path, 'run.json'), JSON.stringify(sample.run));
    writeFileSync(
      join(path, 'cases.jsonl'),
      sample.cases.map((each) => `${JSON.stringify(each)}\n`).join(''),
    );
    const { kernel } = given(sample.cases[0]);
    for (const name of [kernel.spec, kernel.release, kernel.spec.replace('debian:', '')]) {
      const found = loadSide('x', path, name, []);
      t.same([...new Set(found.cases.map((each) => each.kernel.release))], [kernel.release], name);
    }
    const one = given(sample.cases[0]).scenario;
    t.same(
      [...new Set(loadSide('x', path, undefined, [one]).cases.map(({ scenario }) => scenario))],
      [one],
    );
    t.throws(() => loadSide('x', path, kernel.release.slice(0, 6), []), {
      fault: 'usage',
      message: /has several kernels/,
    });
    t.throws(() => loadSide('x', path, '5.4', []), {
      fault: 'usage',
      message: /has no case of 5\.4; its kernels are: /,
    });
    t.throws(() => loadSide('x', join(path, 'cases'), undefined, []), {
      fault: 'usage',
      message: /is not a run folder/,
    });
  },
);

t.test(
  'cases come in the order of the plan, so that two comparisons of the same kernels tell the same',
  async (t) => {
    const { path, cleanup } = await dir({ prefix: 'ptdiff-side-', unsafeCleanup: true });
    t.teardown(cleanup);
    mkdirSync(join(path, 'cases'));
    writeFileSync(join(path, 'run.json'), JSON.stringify(sample.run));
    const order = (asEnded: typeof sample.cases) => {
      writeFileSync(
        join(path, 'cases.jsonl'),
        asEnded.map((each) => `${JSON.stringify(each)}\n`).join(''),
      );
      return loadSide('x', path, undefined, []).cases.map((each) => each.case);
    };
    const names = new Set(sample.cases.map((each) => each.case));
    const planned = sample.run.planned.map((each) => each.case).filter((name) => names.has(name));
    t.same(order([...sample.cases].reverse()), planned);
    t.same(order([...sample.cases]), planned);
  },
);

t.test('two kernels of one release are told apart by what their cases are called', async (t) => {
  const { path, cleanup } = await dir({ prefix: 'ptdiff-side-', unsafeCleanup: true });
  t.teardown(cleanup);
  const first = given(sample.cases[0]);
  const cases = ['p1', 'p2'].map((label) => ({
    ...first,
    case: `${label}@${first.scenario}`,
    kernel: { ...first.kernel, spec: `source:7.3,patch=${label}.patch` },
  }));
  mkdirSync(join(path, 'cases'));
  writeFileSync(join(path, 'run.json'), JSON.stringify(sample.run));
  writeFileSync(
    join(path, 'cases.jsonl'),
    cases.map((each) => `${JSON.stringify(each)}\n`).join(''),
  );
  t.same(loadSide('x', path, 'p2', []).cases, [cases[1]]);
  t.throws(() => loadSide('x', path, first.kernel.release, []), {
    message: /has several kernels .*: p1 \(source:7\.3,patch=p1\.patch\), p2 \(/,
  });
});

t.test('cases are paired by scenario, and only like is compared with like', async (t) => {
  const [a, b] = [side(given(specs[0])), side(given(specs[1]))];
  const scenarios = a.cases
    .map(({ scenario }) => scenario)
    .filter((name) => b.cases.some((each) => each.scenario === name));
  t.same(
    pairCases({ a, b }).pairs.map(({ name }) => name),
    scenarios,
  );
  const [changed] = scenarios;
  const other = b.run.scenarios.map((scenario) =>
    scenario.name === changed
      ? { ...scenario, machine: { ...scenario.machine, memory: 2048 } }
      : scenario,
  );
  const { pairs, refused } = pairCases({ a, b: { ...b, run: { ...b.run, scenarios: other } } });
  t.equal(pairs.length, scenarios.length - 1);
  t.same(refused, [{ name: changed, reasons: ['machine.memory 1024, 2048'] }]);
});

t.test('a case that only one side has, or that ended in error, is named', async (t) => {
  const [a, b] = [side(given(specs[0])), side(given(specs[0]))];
  const [first, second] = take(a.cases, 2);
  const lost = { ...b, cases: b.cases.filter((each) => each !== first) };
  t.same(pairCases({ a, b: lost }).uncompared, [
    { name: first.scenario, reason: 'only A has it', failed: false },
  ]);
  t.same(pairCases({ a: lost, b }).uncompared, [
    { name: first.scenario, reason: 'only B has it', failed: false },
  ]);
  const failed = b.cases.map((each) =>
    each === second ? { ...each, verdict: 'error' as const, reason: 'no QEMU' } : each,
  );
  t.same(pairCases({ a, b: { ...b, cases: failed } }).uncompared, [
    { name: second.scenario, reason: 'B ended in error: no QEMU', failed: true },
  ]);
});

t.test('runs of several kernels are paired by kernel, too', async (t) => {
  const cases = sample.cases.filter(({ verdict }) => verdict !== 'error');
  const whole = side(given(specs[0]), { cases });
  const { pairs, uncompared } = pairCases({ a: whole, b: whole });
  t.equal(pairs.length, cases.length);
  t.ok(pairs.every(({ a, b }) => a.case === b.case));
  const alike = cases.map((each) => ({ ...each, kernel: { ...each.kernel, release: '7.3.0' } }));
  const same = side(given(specs[0]), { cases: alike });
  t.equal(
    new Set(pairCases({ a: same, b: same }).pairs.map(({ name }) => name)).size,
    cases.length,
    'of one release',
  );
  t.same(uncompared, []);
});

t.test('instruments that differ are named', async (t) => {
  const identity: SideIdentity = {
    asked: 'x',
    kernels: [],
    folder: '.',
    emulator: { version: '11', sha256: 'aa' },
    initramfs: 'bb',
    model: '0.1.0',
  };
  t.same(
    unlikeParts({ a: identity, b: { ...identity, monitor: 'cc' } }),
    [],
    'a monitor that one side did not need',
  );
  const others = { ...identity, emulator: { version: '10', sha256: 'dd' }, model: '0.2.0' };
  t.match(unlikeParts({ a: identity, b: others }), [
    /^The emulator: aa and dd\.$/,
    /0\.1\.0 and 0\.2\.0/,
  ]);
});

t.test('the exit code tells what came of it', async (t) => {
  const nothing = { pairs: [], refused: [], uncompared: [] } as unknown as ComparisonReport;
  const same = [{ differences: [] }] as unknown as ComparisonReport['pairs'];
  const other = [{ differences: [{}] }] as unknown as ComparisonReport['pairs'];
  t.equal(comparisonExit({ ...nothing, pairs: same }), 0);
  t.equal(comparisonExit({ ...nothing, pairs: other }), 1);
  t.equal(comparisonExit({ ...nothing, refused: [{ name: 'x', reasons: [] }] }), 2);
  t.equal(
    comparisonExit({
      ...nothing,
      uncompared: [{ name: 'x', reason: 'only A has it', failed: false }],
    }),
    3,
  );
  t.equal(
    comparisonExit({
      ...nothing,
      pairs: same,
      uncompared: [{ name: 'x', reason: 'y', failed: true }],
    }),
    3,
  );
});
