// SPDX-License-Identifier: GPL-2.0-only
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { withDir } from 'tmp-promise';
import { runMatrix } from '../harness/laboratory/run-matrix.ts';
import {
  formatKernelSpec,
  isSourceSpec,
  type KernelSpec,
  parseKernelSpec,
} from '../images/kernel-spec.ts';
import { resolveKernel } from '../images/kernels.ts';
import { openGitStore } from '../images/source/git-store.ts';
import { sourceTree } from '../images/source/source-tree.ts';
import { PtdiffError } from '../src/errors.ts';
import { tellingScenarios } from '../src/scenario/telling.ts';
import { cpuSecondsOf } from './cpu-seconds.ts';
import { type Ratio, spread } from './ratio.ts';

/** The file that a commit to the linear map touches. */
const touched = 'arch/arm64/mm/mmu.c';

/**
 * A diff that adds a constant to the file, a different one each time, so that no cache has the
 * kernel.
 */
async function freshPatch(spec: KernelSpec, directory: string, round: number): Promise<string> {
  if (!isSourceSpec(spec))
    throw new PtdiffError('usage', 'build measures a kernel from source, such as source:7.3.');
  const store = await openGitStore();
  const { tree, alternates } = await sourceTree(store, spec, {});
  const lines = (await store.run(['cat-file', 'blob', `${tree}:${touched}`], { alternates })).split(
    '\n',
  );
  const context = lines.slice(-3).map((line) => ` ${line}\n`);
  const added = `+const unsigned long ptdiff_bench = ${Date.now()}${round};\n`;
  const start = lines.length - context.length + 1;
  const hunk = `@@ -${start},${context.length} +${start},${context.length + 1} @@\n${context.join('')}${added}`;
  const path = join(directory, `round-${round}.diff`);
  await writeFile(path, `--- a/${touched}\n+++ b/${touched}\n${hunk}`);
  return path;
}

/**
 * Wall clock seconds of a commit: until make starts, in make, and for its twelve cases; and CPU
 * seconds of the first two.
 */
interface CommitCost {
  prepare: number;
  make: number;
  cases: number;
  cpu: number;
}

async function commitCost(spec: KernelSpec, directory: string, round: number): Promise<CommitCost> {
  const patched = `${formatKernelSpec(spec)},patch=${await freshPatch(spec, directory, round)}`;
  const start = performance.now();
  let make = start;
  const progress = (line: string) => {
    if (line.startsWith('building') && make === start) make = performance.now();
  };
  const { own, children } = await cpuSecondsOf(() => resolveKernel(patched, { progress }));
  const built = performance.now();
  const out = join(directory, `run-${round}`);
  const request = {
    kernels: [patched],
    scenarios: tellingScenarios.slice(0, 12),
    jobs: availableParallelism(),
    out,
  };
  const { cases } = await runMatrix(request, new AbortController().signal);
  const bad = cases.find(({ verdict }) => verdict !== 'pass' && verdict !== 'known');
  if (bad)
    throw new Error(`${bad.case} ended ${bad.verdict}: ${bad.reason ?? bad.findings[0]?.title}.`);
  const ended = performance.now();
  const seconds = (from: number, to: number) => (to - from) / 1000;
  return {
    prepare: seconds(start, make),
    make: seconds(make, built),
    cases: seconds(built, ended),
    cpu: own + children,
  };
}

/**
 * The cost of a commit that touches mmu.c, with a warm cache: patch, checkout, incremental build
 * and the twelve most telling cases, in wall clock, compared with the limit of two minutes on two
 * cores.
 */
export async function benchIncrementalBuild(text: string, rounds: number): Promise<Ratio> {
  const spec = parseKernelSpec(text);
  const costs: CommitCost[] = [];
  await withDir(
    async ({ path }) => {
      // Warms up the build tree, and everything that cases share.
      await commitCost(spec, path, rounds);
      for (let round = 0; round < rounds; round++) costs.push(await commitCost(spec, path, round));
    },
    { unsafeCleanup: true },
  );
  const part = (name: keyof CommitCost) =>
    spread(
      costs.map((cost) => cost[name]),
      1,
    );
  console.log(
    `Seconds of wall clock for a commit to ${touched} of ${text}, ${availableParallelism()} cores:`,
  );
  console.log(`  patch, checkout, configuration ${part('prepare')}`);
  console.log(`  incremental build ${part('make')} (${part('cpu')} of CPU with what goes before)`);
  console.log(`  twelve cases ${part('cases')}`);
  return {
    what: 'incremental build and twelve cases / 120 s',
    values: costs.map(({ prepare, make, cases }) => (prepare + make + cases) / 120),
    target: { at: 'most', value: 1 },
  };
}
