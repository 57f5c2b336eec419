// SPDX-License-Identifier: GPL-2.0-only
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildMonitor } from '../../guest/build-monitor.ts';
import { say } from '../../host/say.ts';
import { repositoryRoot } from '../../host/version.ts';
import { type Emulator, packagedEmulator, userEmulator } from '../../images/emulator/emulator.ts';
import type { Laboratory } from './run-case.ts';

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
