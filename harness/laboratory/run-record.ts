// SPDX-License-Identifier: GPL-2.0-only
import { readFile } from 'node:fs/promises';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import type { Initramfs } from '../../guest/build.ts';
import { repositoryRoot, versionOf } from '../../host/version.ts';
import type { Emulator } from '../../images/emulator/emulator.ts';
import type { CaseResult } from '../../src/diff/types.ts';
import { knownGenerations } from '../../src/linux/traits.ts';
import { type RunRecord, runSchemaVersion } from '../../src/report/types.ts';
import { countVerdicts } from '../../src/report/verdicts.ts';
import type { DepthChoice } from '../../src/scenario/depth.ts';
import { scenarioVersion } from '../../src/scenario/types.ts';
import type { Variation } from '../../src/scenario/variation.ts';
import { withoutPasswords } from './farm/address.ts';
import type { LoadedKernel } from './loaded-kernel.ts';
import type { Plan } from './plan.ts';

/** Default folder for runs. */
export const runsFolder = join(repositoryRoot, 'results', 'runs');

/** The current second in UTC, as a part of a default folder name: 2026-03-16T09-30-00. */
export function timeStamp(): string {
  return new Date().toISOString().replaceAll(':', '-').slice(0, 19);
}

/** The request on the command line, words included. */
export interface Asked {
  kernels: string[];
  scenarios: string[];
  jobs: number;
  depth?: DepthChoice;
  /** Seconds after which no case begins. */
  budget?: number;
  variation?: Variation;
}

/** Everything that run.json contains at the start of a run. */
interface RunParts {
  asked: Asked;
  plan: Plan;
  kernels: LoadedKernel[];
  unavailable: RunRecord['unavailable'];
  awaited: string[];
  emulator: Pick<Emulator, 'version' | 'sha256' | 'origin' | 'notes'>;
  initramfs: Pick<Initramfs, 'sha256'>;
  monitor?: { sha256: string };
}

async function osName(): Promise<string> {
  try {
    const text = await readFile('/etc/os-release', 'utf8');
    return /^PRETTY_NAME="?([^"\n]*)/m.exec(text)?.[1] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}

/** run.json at the start of the first case. */
export async function newRunRecord(parts: RunParts): Promise<RunRecord> {
  const { asked, plan, emulator } = parts;
  return {
    schema: runSchemaVersion,
    ptdiff: versionOf(),
    command: withoutPasswords(process.argv.slice(2)),
    asked,
    scenarioVersion,
    scenarios: plan.scenarios,
    emulator: {
      version: emulator.version,
      sha256: emulator.sha256,
      origin: emulator.origin,
      notes: emulator.notes,
    },
    kernels: parts.kernels.map(({ image }) => {
      const { spec, release, version, flavour, sha256, commit } = image;
      return { spec, release, version, flavour, sha256, ...(commit !== undefined && { commit }) };
    }),
    unavailable: parts.unavailable,
    initramfs: { sha256: parts.initramfs.sha256 },
    ...(parts.monitor && { monitor: { sha256: parts.monitor.sha256 } }),
    generations: [...knownGenerations],
    host: {
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      kernel: release(),
      os: await osName(),
    },
    started: new Date().toISOString(),
    planned: plan.planned,
    ...(parts.awaited.length > 0 && { awaited: parts.awaited }),
    leftOut: plan.leftOut,
    unfit: plan.unfit,
    counts: countVerdicts([]),
  };
}

/** run.json after a run that was completed. */
export function endedRunRecord(record: RunRecord, results: readonly CaseResult[]): RunRecord {
  return { ...record, ended: new Date().toISOString(), counts: countVerdicts(results) };
}
