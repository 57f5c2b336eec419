// SPDX-License-Identifier: GPL-2.0-only
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t, { type Test } from 'tap';
import { dir } from 'tmp-promise';
import { readCaseLines } from '../../results/run-folder.ts';

const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');

const hole = { start: 0x5c00_0000, size: 33 * 2 ** 20 };
const parameters = ['crashkernel=128M@0x60000000'];
/**
 * A machine on which the address is no memory; one on which memblock gave a part of it to others;
 * one on which all of it is free.
 */
const crashkernel = [
  { name: 'no-memory', machine: { cpu: 'max', memory: 300 }, parameters },
  { name: 'in-use', machine: { cpu: 'max', memory: 700, holes: [hole] }, parameters },
  { name: 'free', machine: { cpu: 'max' }, parameters },
];
/**
 * Early KFENCE that kfence_init() does not follow, KFENCE that was not early, and a parameter that
 * turns a system call off.
 */
const others = [
  {
    name: 'kfence-refused',
    machine: { cpu: 'neoverse-v3-r0p2' },
    parameters: ['kfence.sample_interval=-5', 'rodata=off'],
  },
  {
    name: 'kfence-late',
    machine: { cpu: 'neoverse-v3-r0p2' },
    parameters: ['kfence.sample_interval=+100'],
  },
  {
    name: 'quotes',
    machine: { cpu: 'max' },
    parameters: ['secretmem.enable=n', 'rodata="off"', '"kpti=on"'],
  },
];

async function run(t: Test, kernels: string[], scenarios: unknown[] | string) {
  const { path, cleanup } = await dir({ prefix: 'ptdiff-parameters-', unsafeCleanup: true });
  t.teardown(cleanup);
  const file = join(path, 'scenarios.yaml');
  if (typeof scenarios !== 'string') writeFileSync(file, JSON.stringify(scenarios));
  const words = kernels.flatMap((version) => ['--kernel', `debian:${version}`]);
  const scenario = typeof scenarios === 'string' ? scenarios : file;
  const command = [
    '--disable-warning=ExperimentalWarning',
    main,
    'run',
    ...words,
    '--scenario',
    scenario,
  ];
  const out = join(path, 'run');
  const { stdout, stderr } = await execa(process.execPath, [...command, '--out', out], {
    reject: false,
  });
  const cases = readCaseLines(out);
  t.ok(cases.length > 0, stderr);
  return { cases, stdout };
}

t.test(
  'a crashkernel= that no memory is free for is refused as predicted, and reserved where there is',
  async (t) => {
    const { cases, stdout } = await run(t, ['6.12', '6.18', '7.1', '7.2', '7.3'], crashkernel);
    t.equal(cases.length, 15);
    for (const each of cases) t.equal(each.verdict, 'pass', `${each.case}\n${stdout}`);
  },
);

t.test('values that one parser takes and another refuses are predicted', async (t) => {
  const { cases, stdout } = await run(t, ['6.12', '7.3'], others);
  t.equal(cases.length, 6);
  // What every kernel does wrong that rewrites its tables (results/known-issues).
  const kpti = 'update/output-address/idmap_kpti_install_ng_mappings/tlbi-of-wrong-hint';
  for (const { case: name, scenario, verdict, findings } of cases) {
    const [wanted, ids] = scenario === 'quotes' ? ['known', [kpti]] : ['pass', []];
    t.equal(verdict, wanted, `${name}\n${stdout}`);
    t.same(
      findings.map(({ id }) => id),
      ids,
      name,
    );
  }
});

t.test('isolcpus= shows the known issue of 7.1, and nothing on 7.3', async (t) => {
  const { cases } = await run(t, ['7.1', '7.3'], 'isolcpus-early-free');
  t.same(cases.map(({ case: name, verdict }) => [name.slice(0, 3), verdict]).sort(), [
    ['7.1', 'known'],
    ['7.3', 'pass'],
  ]);
});

t.test('a page that is partly no-map: 7.3 leaves it out and dies, 7.1 maps it', async (t) => {
  const scenario = join(import.meta.dirname, '..', '..', 'examples', 'cut-page.yaml');
  const { cases } = await run(t, ['7.1.13:16k', '7.3.4:16k'], scenario);
  const found = cases.map(({ kernel, verdict, findings }) => [
    kernel.release,
    verdict,
    ...findings.map(({ id, known }) => `${id}: ${known}`),
  ]);
  t.same(found.toSorted(), [
    ['7.1.13+deb13-arm64-16k', 'pass'],
    [
      '7.3.4+deb13-arm64-16k',
      'known',
      'invariant/linear-map-is-ram/cut-page-not-mapped@paging_init: cut-page-not-mapped',
      'splat/boot/panic: cut-page-not-mapped',
    ],
  ]);
});
