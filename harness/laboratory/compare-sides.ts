// SPDX-License-Identifier: GPL-2.0-only
import { statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { sha256 } from '../../host/cache.ts';
import { readCases, readRunRecord } from '../../results/run-folder.ts';
import type { Sides } from '../../src/compare/types.ts';
import type { CaseResult } from '../../src/diff/types.ts';
import { PtdiffError } from '../../src/errors.ts';
import type { ComparisonReport, SideIdentity } from '../../src/report/compare/types.ts';
import type { RunRecord } from '../../src/report/types.ts';
import { shortHash } from '../../src/report/units.ts';
import { scenarioDifferences, scenarioHash } from '../../src/scenario/identity.ts';
import { kernelLabel } from '../../src/scenario/names.ts';
import type { Scenario } from '../../src/scenario/types.ts';

/** One side as named by the user. */
type NamedSide =
  | { kind: 'kernel'; spec: string }
  | { kind: 'folder'; folder: string; kernel?: string };

/** One side with its evidence. */
export interface LoadedSide {
  asked: string;
  folder: string;
  run: RunRecord;
  cases: CaseResult[];
}

const isFolder = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** A run folder, a run folder followed by '@' and one of its kernels, or else a kernel spec. */
export function namedSide(text: string): NamedSide {
  if (isFolder(text)) return { kind: 'folder', folder: text };
  const at = text.lastIndexOf('@');
  const folder = text.slice(0, Math.max(at, 0));
  return folder !== '' && isFolder(folder)
    ? { kind: 'folder', folder, kernel: text.slice(at + 1) }
    : { kind: 'kernel', spec: text };
}

/** A kernel of a run, with what identifies its cases. */
type RunKernel = Pick<CaseResult['kernel'], 'spec' | 'release'> & { label: string };

/** The kernel of a run with a given spec, label, release or start of a release. */
function kernelNamed(name: string, kernels: readonly RunKernel[], folder: string): RunKernel {
  const exact = ({ spec, label, release }: RunKernel): boolean =>
    [spec, spec.replace(/^debian:/, ''), label, release].includes(name);
  const [named, begun] = [
    kernels.filter(exact),
    kernels.filter(({ release }) => release.startsWith(name)),
  ];
  const found = named.length > 0 ? named : begun;
  const [only] = found;
  if (only && found.length === 1) return only;
  const there = (found.length > 0 ? found : kernels)
    .map(({ spec, label }) => `${label} (${spec})`)
    .join(', ');
  const what =
    found.length > 1 ? `has several kernels '${name}'` : `has no case of ${name}; its kernels are`;
  throw new PtdiffError('usage', `${folder} ${what}: ${there || 'none'}.`);
}

/**
 * Reads one side from a run folder.
 * @param kernel the spec, label, release or start of a release of one of its kernels; all its
 * kernels when absent
 * @param scenarios names to keep; all when empty
 * @throws PtdiffError(usage) for a folder that is not a run folder, and for a kernel that it does
 * not have, or has more than once
 */
export function loadSide(
  asked: string,
  folder: string,
  kernel: string | undefined,
  scenarios: readonly string[],
): LoadedSide {
  const run = readRunRecord(folder);
  const all = readCases(folder, run);
  const kernels = unique(
    all.map((each) => ({ ...each.kernel, label: kernelLabel(each, each.kernel.release) })),
    ({ spec }) => spec,
  );
  const spec = kernel === undefined ? undefined : kernelNamed(kernel, kernels, folder).spec;
  const cases = all
    .filter((each) => spec === undefined || each.kernel.spec === spec)
    .filter(({ scenario }) => scenarios.length === 0 || scenarios.includes(scenario));
  return { asked, folder, run, cases };
}

const unique = <T>(values: readonly T[], key: (value: T) => string): T[] => [
  ...new Map(values.map((value) => [key(value), value])).values(),
];

/** What a report says about a side. */
export function identityOf({ asked, folder, run, cases }: LoadedSide): SideIdentity {
  const kernels = unique(
    cases.map(({ kernel }) => kernel),
    ({ spec, sha256: hash }) => `${spec} ${hash}`,
  );
  const { version, commit } = run.ptdiff;
  return {
    asked,
    kernels: kernels.map(({ spec, release, sha256: hash }) => ({ spec, release, sha256: hash })),
    folder: relative(process.cwd(), folder) || '.',
    emulator: { version: run.emulator.version, sha256: run.emulator.sha256 },
    initramfs: run.initramfs.sha256,
    ...(run.monitor && { monitor: run.monitor.sha256 }),
    model: commit === undefined ? version : `${version} (${commit})`,
  };
}

/**
 * What two sides do not have in common besides their kernels. A comparison assumes that everything
 * else is equal, so differences must be reported.
 */
export function unlikeParts({ a, b }: Sides<SideIdentity>): string[] {
  const hashes: [string, string | undefined, string | undefined][] = [
    ['emulator', a.emulator.sha256, b.emulator.sha256],
    ['guest program', a.initramfs, b.initramfs],
    ['realm monitor', a.monitor, b.monitor],
  ];
  const parts = hashes
    .filter(([, left, right]) => left !== undefined && right !== undefined && left !== right)
    .map(
      ([name, left = '', right = '']) => `The ${name}: ${shortHash(left)} and ${shortHash(right)}.`,
    );
  const model = `The ptdiff whose model predicted: ${a.model} and ${b.model}. Decisions and findings may differ because of that.`;
  return a.model === b.model ? parts : [...parts, model];
}

/** A pair of cases to compare, or why there is none. */
interface Pairing extends Pick<ComparisonReport, 'refused' | 'uncompared'> {
  pairs: { name: string; a: CaseResult; b: CaseResult }[];
}

const kernelCount = ({ cases }: LoadedSide): number =>
  new Set(cases.map(({ kernel }) => kernel.spec)).size;

function scenarioOf({ run }: LoadedSide, name: string): Scenario | undefined {
  return run.scenarios.find((scenario) => scenario.name === name);
}

/** Why two scenarios with the same name are not the same experiment; empty when they are. */
function reasonsAgainst(a: Scenario | undefined, b: Scenario | undefined): string[] {
  if (!a || !b) return ['its run folder does not say what it was'];
  if (scenarioHash(a, sha256) === scenarioHash(b, sha256)) return [];
  return scenarioDifferences(a, b);
}

/**
 * Pairs the cases of two sides by scenario and, where a side has several kernels, also by kernel
 * spec.
 */
export function pairCases(sides: Sides<LoadedSide>): Pairing {
  const several = kernelCount(sides.a) > 1 || kernelCount(sides.b) > 1;
  const keyOf = ({ kernel, scenario }: CaseResult): string =>
    several ? `${kernel.spec} ${scenario}` : scenario;
  const nameOf = ({ case: name, scenario }: CaseResult): string => (several ? name : scenario);
  const others = new Map(sides.b.cases.map((result) => [keyOf(result), result]));
  const pairing: Pairing = { pairs: [], refused: [], uncompared: [] };
  for (const a of sides.a.cases) {
    const [key, name] = [keyOf(a), nameOf(a)];
    const b = others.get(key);
    others.delete(key);
    if (!b) {
      pairing.uncompared.push({ name, reason: 'only A has it', failed: false });
      continue;
    }
    const reasons = reasonsAgainst(
      scenarioOf(sides.a, a.scenario),
      scenarioOf(sides.b, b.scenario),
    );
    const failed = [a, b].find(({ verdict }) => verdict === 'error');
    if (reasons.length > 0) pairing.refused.push({ name, reasons });
    else if (failed)
      pairing.uncompared.push({
        name,
        reason: `${failed === a ? 'A' : 'B'} ended in error: ${failed.reason}`,
        failed: true,
      });
    else pairing.pairs.push({ name, a, b });
  }
  for (const b of others.values())
    pairing.uncompared.push({ name: nameOf(b), reason: 'only B has it', failed: false });
  return pairing;
}

/** The run of a comparison, below its folder. */
export const runBelow = (out: string): string => join(out, 'run');
