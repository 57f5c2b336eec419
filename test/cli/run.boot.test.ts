// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { dir } from 'tmp-promise';
import { readCaseLines } from '../../results/run-folder.ts';
import { given } from '../given.ts';

const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');
const command = ['--disable-warning=ExperimentalWarning', main];

async function ptdiff(...words: string[]) {
  return execa(process.execPath, [...command, ...words], { reject: false });
}

const kernels = ['6.12', '6.18', '7.1', '7.3'].flatMap((version) => [
  '--kernel',
  `debian:${version}`,
]);
const scenarios = ['max+kfence100', 'neoverse-v3-r0p2', 'realm-early-share'].flatMap((name) => [
  '--scenario',
  name,
]);

t.test('four generations, predicted, booted and diffed from one command', async (t) => {
  const { path, cleanup } = await dir({ prefix: 'ptdiff-run-', unsafeCleanup: true });
  t.teardown(cleanup);
  const out = join(path, 'run');
  const { exitCode, stdout, stderr } = await ptdiff('run', ...kernels, ...scenarios, '--out', out);
  t.equal(exitCode, 0, stderr);
  const table = stdout.split('\n').filter((line) => /^(kernel|\d+\.\d+\.)/.test(line));
  t.equal(table.length, 5);
  t.ok(
    table.every((line) => line.length <= 100),
    'the table fits 100 columns; sentences in a pipe are not wrapped',
  );

  const cases = readCaseLines(out);
  const verdicts = new Map(
    cases.map(({ case: name, verdict }) => [name.replace(/^(\d+\.\d+)[^@]*/, '$1'), verdict]),
  );
  t.equal(verdicts.size, 11, '6.12 knows no realms');
  t.equal(verdicts.get('6.18@realm-early-share'), 'known', '6.18 shares memory too early');
  t.equal(verdicts.get('7.1@realm-early-share'), 'pass', 'f12b435de2f2 mended it');
  verdicts.delete('6.18@realm-early-share');
  t.ok(
    [...verdicts.values()].every((verdict) => verdict === 'pass'),
    'everything else is as predicted',
  );
  const v3 = cases.find(({ case: name }) => /^7\.3.*@neoverse-v3-r0p2$/.test(name));
  t.equal(v3?.symbols.linear_map_requires, '1');
  t.ok(
    (v3?.linearMap.init?.contPmd ?? 0) > 900 * 2 ** 20,
    'a capable CPU keeps its large mappings',
  );
  t.ok(existsSync(join(out, 'report.html')));
  t.match(
    readFileSync(join(out, 'cases', v3?.case ?? '', 'repro.sh'), 'utf8'),
    /qemu-system-aarch64/,
  );

  const again = await ptdiff('run', '--out', out);
  t.equal(again.exitCode, 0, again.stderr);
  t.equal(
    readFileSync(join(out, 'cases.jsonl'), 'utf8').split('\n').length,
    12,
    'a finished run has nothing left to do',
  );
  const twice = await ptdiff(
    'run',
    '--kernel',
    'debian:7.3',
    '--kernel',
    'debian:7.3',
    '--scenario',
    'max',
    '--dry-run',
  );
  t.match(twice.stdout, /^7\.3\.[^@]*@max\n?$/, 'a kernel that is named twice is booted once');
  const other = await ptdiff('run', '--kernel', 'debian:6.19', '--out', out);
  t.equal(other.exitCode, 2, 'one folder holds one question');

  const shown = await ptdiff('show', v3?.case ?? '', '--out', out);
  t.match(shown.stdout, /linear_map_requires +1/);
  const predicted = await ptdiff(
    'predict',
    '--kernel',
    'debian:7.3',
    '--scenario',
    'neoverse-v3-r0p2',
  );
  t.match(
    predicted.stdout,
    /cpu_supports_bbml3\(\)/,
    'the answer without a boot, with its derivation',
  );
});

t.test('a run that is interrupted keeps what it has, and goes on', async (t) => {
  const { path, cleanup } = await dir({ prefix: 'ptdiff-interrupt-', unsafeCleanup: true });
  t.teardown(cleanup);
  const out = join(path, 'run');
  const asked = [
    'run',
    '--kernel',
    'debian:7.3',
    '--scenario',
    'max',
    '--scenario',
    'cortex-a76',
    '--jobs',
    '1',
    '--out',
    out,
  ];
  const child = execa(process.execPath, [...command, ...asked], { reject: false, all: true });
  child.all?.on('data', (text: Buffer) => {
    if (text.includes('[1/2]')) child.kill('SIGINT');
  });
  t.equal((await child).exitCode, 130);
  t.equal(readCaseLines(out).length, 1);
  t.equal((await ptdiff('run', '--out', out)).exitCode, 0);
  t.equal(readCaseLines(out).length, 2);
});

t.test('a kernel that does not exist is an error of its cases, not of the others', async (t) => {
  const { path, cleanup } = await dir({ prefix: 'ptdiff-missing-', unsafeCleanup: true });
  t.teardown(cleanup);
  const out = join(path, 'run');
  const { exitCode } = await ptdiff(
    'run',
    '--kernel',
    'debian:5.5',
    '--kernel',
    'debian:7.3',
    '--scenario',
    'max',
    '--out',
    out,
  );
  t.equal(exitCode, 3);
  t.same(
    readCaseLines(out)
      .map(({ verdict }) => verdict)
      .sort(),
    ['error', 'pass'],
  );
});

t.test("a late CPU is let in or refused as the kernel's own tables say", async (t) => {
  const { path, cleanup } = await dir({ prefix: 'ptdiff-late-', unsafeCleanup: true });
  t.teardown(cleanup);
  const out = join(path, 'run');
  const late = ['monitor+neoverse-v3-r0p2+late-max', 'monitor+max-bbm2+late-bbm3'];
  const scenarios = late.flatMap((name) => ['--scenario', name]);
  const { exitCode, stderr } = await ptdiff(
    'run',
    '--kernel',
    'debian:7.3',
    ...scenarios,
    '--out',
    out,
  );
  t.equal(exitCode, 0, stderr);
  const cases = readCaseLines(out);
  t.same(
    cases.map(({ verdict }) => verdict),
    ['pass', 'pass'],
  );
  const online = cases.map(({ case: name, scenario }) => [
    scenario,
    readFileSync(join(out, 'cases', name, 'files', 'sys_devices_system_cpu_online'), 'utf8').trim(),
  ]);
  t.same(Object.fromEntries(online), { [given(late[0])]: '0', [given(late[1])]: '0-1' });
});
