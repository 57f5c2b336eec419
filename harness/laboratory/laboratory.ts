// SPDX-License-Identifier: GPL-2.0-only
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { buildInitramfs, type Initramfs } from '../../guest/build.ts';
import { buildMonitor } from '../../guest/build-monitor.ts';
import { say } from '../../host/say.ts';
import { repositoryRoot } from '../../host/version.ts';
import { type Emulator, packagedEmulator, userEmulator } from '../../images/emulator/emulator.ts';
import { loadKnownIssues } from '../../results/known-issues.ts';
import type { KnownIssue } from '../../src/diff/match-known.ts';
import { PtdiffError } from '../../src/errors.ts';
import type { BoardLife, Scenario } from '../../src/scenario/types.ts';
import { buildRecorder } from '../emulator/recorder/build-recorder.ts';

/** What all cases of a run share. */
export interface Laboratory {
  emulator: Emulator;
  initramfs: Initramfs;
  /** It holds the modules of the case's devices already. */
  hasModules?: true;
  /** The realm monitor, if a scenario of the run needs it. */
  monitor?: { code: Uint8Array; sha256: string };
  knownIssues: KnownIssue[];
  /** Path of the recorder, where boots are recorded. */
  recorderLibrary?: string;
  /** Recorded boots end where others do, to compare what they cost. */
  exercises?: false;
  /** The initramfs has guest/collect, and init runs it: the evidence has a `board`. */
  playsBoard?: true | BoardLife;
}

/** Where known issues are documented. */
export const knownIssuesFolder = join(repositoryRoot, 'results', 'known-issues');

/** The user's QEMU, or the pinned one. */
export async function chooseEmulator(path: string | undefined): Promise<Emulator> {
  return path === undefined ? packagedEmulator({ progress: say }) : userEmulator(path);
}

/** The realm monitor's code, compiled or from the cache. */
export async function loadMonitor(): Promise<NonNullable<Laboratory['monitor']>> {
  const { path, sha256 } = await buildMonitor({ progress: say });
  return { code: await readFile(path), sha256 };
}

/** QEMU versions whose interface for plugins the recorder knows (version 7). */
const recordable = /^11\.1\./;

/**
 * The recorder, compiled or from the cache; or why nothing is recorded, which is no reason for
 * booting nothing.
 */
async function loadRecorder({
  version,
}: Emulator): Promise<Pick<Laboratory, 'recorderLibrary'> & { note?: string }> {
  if (!recordable.test(version)) {
    const why = `QEMU ${version} has another interface for plugins than 11.1`;
    return { note: `nothing is recorded: ${why}` };
  }
  try {
    return { recorderLibrary: (await buildRecorder({ progress: say })).path };
  } catch (error) {
    // Without the network, or on a host that has no compiler to fetch.
    if (!(error instanceof PtdiffError && error.fault === 'host')) throw error;
    return { note: `nothing is recorded: ${error.message}` };
  }
}

/**
 * What all cases of a set of scenarios share. Why nothing is recorded is among the emulator's notes,
 * which reports print.
 * @param record whether boots are recorded, where the emulator can do that
 */
export async function prepareLaboratory(
  scenarios: readonly Scenario[],
  qemu: string | undefined,
  record = true,
): Promise<Laboratory> {
  const emulator = await chooseEmulator(qemu);
  for (const note of emulator.notes) say(note);
  const initramfs = await buildInitramfs({ progress: say });
  const monitor = scenarios.some(({ machine }) => machine.firmware)
    ? await loadMonitor()
    : undefined;
  const { note, ...recorder } = record ? await loadRecorder(emulator) : {};
  if (note !== undefined) say(note);
  return {
    emulator: { ...emulator, notes: [...emulator.notes, ...(note === undefined ? [] : [note])] },
    initramfs,
    ...recorder,
    ...(monitor && { monitor }),
    knownIssues: await loadKnownIssues(knownIssuesFolder),
  };
}

/** Default of --jobs. */
export function defaultJobs(): number {
  return availableParallelism();
}
