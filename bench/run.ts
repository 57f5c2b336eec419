// SPDX-License-Identifier: GPL-2.0-only
import { loadavg } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import { exitCodes } from '../src/cli/exit-codes.ts';
import { collect } from '../src/cli/verb.ts';
import { messageOf, PtdiffError } from '../src/errors.ts';
import { first } from '../src/present.ts';
import { type BenchLaboratory, benchLaboratory } from './bench-laboratory.ts';
import { benchCaseCost } from './case-cost.ts';
import { benchDepthCost } from './depth-cost.ts';
import { benchFarmCost } from './farm-cost.ts';
import { benchGuestDump } from './guest-dump.ts';
import { benchIncrementalBuild } from './incremental-build.ts';
import { benchLeanCost } from './lean-cost.ts';
import { formatRatio, type Ratio } from './ratio.ts';
import { benchRealmCost } from './realm-cost.ts';
import { benchRecordCost } from './record-cost.ts';
import { benchStartCost } from './start-cost.ts';
import { benchThroughput } from './throughput.ts';
import { benchWalk } from './walk.ts';
import { benchWallTime } from './wall-time.ts';

const parts = [
  'walk',
  'dump',
  'case',
  'jobs',
  'realm',
  'lean',
  'depth',
  'time',
  'start',
  'build',
  'farm',
  'record',
] as const;
type Part = (typeof parts)[number];

/** From the default matrix: old and new kernels, blocks and pages, both worlds, two page sizes. */
const leanCases = [
  ['debian:6.12', 'max'],
  ['debian:6.18', 'cortex-a76+noalias'],
  ['debian:7.1', 'realm+max'],
  ['debian:7.3', 'max'],
  ['debian:7.3', 'neoverse-v3-r0p2+kfence100'],
  ['debian:7.3:16k', 'max+off'],
] as const;

/** Seconds of the run whose wall time is divided up. */
const timeBudget = 180;

interface Options {
  only: Part[];
  kernel: string;
  scenario: string[];
  rounds: number;
  source: string;
  sample: number;
  seed: number;
  whole?: true;
}

function partsOf(value: string): Part[] {
  const asked = value.split(',');
  const unknown = asked.find((name) => !parts.some((part) => part === name));
  if (unknown !== undefined)
    throw new InvalidArgumentError(`'${unknown}' is none of ${parts.join(', ')}.`);
  return parts.filter((part) => asked.includes(part));
}

function roundsOf(value: string): number {
  const rounds = Number(value);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new InvalidArgumentError('It must be a number from 1 on.');
  return rounds;
}

function options(): Options {
  const program = new Command('bench')
    .description(
      'Prints ratios, each measured in one run: median (least-most). Never fails on a number.',
    )
    .addOption(
      new Option('--only <parts>', `of ${parts.join(',')}`)
        .argParser(partsOf)
        .default([...parts], 'all'),
    )
    .option('--kernel <spec>', 'kernel of case and jobs, as for ptdiff run', 'debian:7.3')
    .option(
      '--scenario <name>',
      'scenario of case and jobs; may be repeated (default: max, neoverse-v3-r0p2)',
      collect,
      [],
    )
    .option(
      '--rounds <n>',
      'rounds of dump, case, jobs, realm, lean, start, build, farm and record; 1 is quick',
      roundsOf,
      5,
    )
    .option('--source <spec>', 'kernel of dump and build, built from source', 'source:7.3')
    .option('--sample <n>', 'cases of each depth that depth measures', roundsOf, 8)
    .option('--seed <n>', 'which cases depth draws', roundsOf, 1)
    .option('--whole', 'measure all cases of depth, which takes hours, and of time')
    .exitOverride(({ exitCode }) =>
      process.exit(exitCode === 0 ? exitCodes.pass : exitCodes.usage),
    );
  const given = program.parse().opts<Options>();
  return {
    ...given,
    scenario: given.scenario.length > 0 ? given.scenario : ['max', 'neoverse-v3-r0p2'],
  };
}

/** Runs each part with what it needs; a part that cannot be measured says why. */
async function measure(
  part: Part,
  { kernel, scenario, rounds, source, sample, seed, whole }: Options,
): Promise<Ratio[]> {
  const each = async (bench: (laboratory: BenchLaboratory) => Promise<Ratio>) => {
    const ratios: Ratio[] = [];
    for (const name of scenario) ratios.push(await bench(await benchLaboratory(kernel, name)));
    return ratios;
  };
  const drawing = { seed, ...(whole ? {} : { sample }) };
  switch (part) {
    case 'walk':
      return await benchWalk();
    case 'dump':
      return [await benchGuestDump(await benchLaboratory(source, 'max'), rounds)];
    case 'case':
      return await each((laboratory) => benchCaseCost(laboratory, rounds));
    case 'realm':
      return [
        await benchRealmCost(
          await benchLaboratory(kernel, 'realm+max'),
          await benchLaboratory(kernel, 'max'),
          rounds,
        ),
        await benchRealmCost(
          await benchLaboratory(kernel, 'rme+max'),
          await benchLaboratory(kernel, 'max'),
          rounds,
        ),
      ];
    case 'lean': {
      const benches: BenchLaboratory[] = [];
      for (const [spec, name] of leanCases) benches.push(await benchLaboratory(spec, name));
      return [await benchLeanCost(benches, rounds)];
    }
    case 'depth':
      return [
        await benchDepthCost({ scenarios: [], target: 0.6, ...drawing }),
        await benchDepthCost({ scenarios: ['all'], target: 0.4, ...drawing }),
      ];
    case 'time':
      await benchWallTime(whole ? undefined : timeBudget);
      return [];
    case 'start':
      return await benchStartCost(rounds);
    case 'farm':
      return await benchFarmCost(await benchLaboratory(kernel, first(scenario)), rounds);
    case 'record': {
      const ratios: Ratio[] = [];
      for (const name of scenario)
        ratios.push(...(await benchRecordCost(await benchLaboratory(kernel, name, false), rounds)));
      return ratios;
    }
    case 'build':
      return [await benchIncrementalBuild(source, rounds)];
    case 'jobs':
      return await each((laboratory) => benchThroughput(laboratory, rounds));
  }
}

async function main(): Promise<void> {
  const asked = options();
  const [load = 0] = loadavg();
  if (load > 0.5)
    console.log(`This host is busy (load ${load.toFixed(1)}): the spreads will be wide.`);
  for (const part of asked.only) {
    for (const ratio of await measure(part, asked)) console.log(`=> ${formatRatio(ratio)}`);
  }
}

try {
  await main();
} catch (error) {
  console.error(`bench: ${messageOf(error)}`);
  process.exitCode =
    error instanceof PtdiffError && error.fault === 'usage' ? exitCodes.usage : exitCodes.errors;
}
