// SPDX-License-Identifier: GPL-2.0-only
/** Guests that play the live machine: a stock kernel, whose init runs guest/collect. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { withCollect } from '../../guest/collect-initramfs.ts';
import { bootCase } from '../../harness/laboratory/boot-case.ts';
import { prepareLaboratory } from '../../harness/laboratory/laboratory.ts';
import { type LoadedKernel, loadKernel } from '../../harness/laboratory/loaded-kernel.ts';
import type { Evidence } from '../../src/evidence/capture.ts';
import { builtInScenario } from '../../src/scenario/built-in.ts';
import type { BoardLife, Scenario } from '../../src/scenario/types.ts';
import { given } from '../given.ts';

/** A boot that was observed from outside, and what collect left of the same moment. */
export interface PlayedBoard {
  kernel: LoadedKernel;
  scenario: Scenario;
  /** Its last capture, `init`, is of the moment of the archive. */
  evidence: Evidence;
  /** The compressed archive. */
  archive: Uint8Array;
}

/**
 * Boots a kernel to its end, where init runs collect and sends what it left.
 * @param from the kernel, or its spec
 * @param scenario its name, or itself
 * @param life what the kernel splits its linear map for, before collect runs or while it does
 * @throws Error where collect left nothing, with what the guest said
 */
export async function playBoard(
  from: string | LoadedKernel,
  scenario: string | Scenario,
  life?: BoardLife,
): Promise<PlayedBoard> {
  const played = typeof scenario === 'string' ? given(builtInScenario(scenario)) : scenario;
  const [kernel, laboratory] = [
    typeof from === 'string' ? await loadKernel(from) : from,
    await prepareLaboratory([played], undefined, false),
  ];
  const initramfs = await withCollect(laboratory.initramfs);
  const directory = await mkdtemp(join(tmpdir(), 'ptdiff-board-'));
  try {
    const { evidence } = await bootCase(
      { ...laboratory, initramfs, playsBoard: life ?? true },
      { name: `${kernel.image.release}@${played.name}`, kernel, scenario: played, directory },
      new AbortController().signal,
    );
    const { board, console, guestProblems, end } = evidence;
    if (board === undefined)
      throw new Error(
        `No archive of ${kernel.image.spec}: ${JSON.stringify({ end, guestProblems })}\n${console.slice(-2000)}`,
      );
    return { kernel, scenario: played, evidence, archive: board };
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** The members of an archive by name: a POSIX ustar of regular files, in gzip. */
export function membersOf(archive: Uint8Array): Map<string, Buffer> {
  const tar = gunzipSync(archive);
  const members = new Map<string, Buffer>();
  const text = (at: number, bytes: number) => tar.toString('latin1', at, at + bytes).split('\0')[0];
  for (let at = 0; tar[at] !== 0; ) {
    const bytes = Number.parseInt(given(text(at + 124, 12)), 8);
    members.set(given(text(at, 100)), tar.subarray(at + 512, at + 512 + bytes));
    at += 512 + Math.ceil(bytes / 512) * 512;
  }
  return members;
}
