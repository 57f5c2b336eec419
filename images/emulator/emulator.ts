// SPDX-License-Identifier: GPL-2.0-only
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { sha256File } from '../../host/cache.ts';
import { findCommand } from '../../host/host-tools.ts';
import { PtdiffError } from '../../src/errors.ts';
import { first } from '../../src/present.ts';
import { plainLine } from '../../src/report/plain-text.ts';
import type { AptArchive, FetchOptions } from '../debian/apt.ts';
import { packageClosure } from '../debian/package-closure.ts';
import { type IndexedPackage, packagesMatching } from '../debian/package-index.ts';
import { openToolArchive } from '../toolchain/tool-archive.ts';
import { type PrefixPlan, prefixCommand, toolPrefix } from '../toolchain/tool-prefix.ts';
import { pickEmulator } from './pick-emulator.ts';

/** A qemu-system-aarch64 that starts on this host. */
export interface Emulator {
  /** Start of the command line: loader, libraries, program, and where its data files are. */
  command: string[];
  /** E.g. `11.1.3`. */
  version: string;
  /** SHA-256 of the program itself. */
  sha256: string;
  /** Package and version, or the user's path. */
  origin: string;
  /** Its packages; empty for the user's own. */
  packages: { name: string; version: string; sha256: string }[];
  /** Sentences for the user, e.g. that another version than the pinned one is used. */
  notes: string[];
}

interface EmulatorOptions extends FetchOptions {
  /**
   * QEMU version such as `11.1.3`, or `10.0` for the newest 10.0.x; default: `PTDIFF_QEMU_VERSION`,
   * then the pinned one.
   */
  version?: string;
}

/** The version that results are compared with: the emulator is part of the experiment. */
export const pinnedEmulatorVersion = '11.1.3';

/**
 * QEMU from Debian's archive with all its libraries, from the cache: the same one on every host,
 * whatever is installed there.
 * @throws `host` when it is not in the cache and cannot be fetched; `emulator` when it does not
 * start
 */
export async function packagedEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const asked = options.version || process.env.PTDIFF_QEMU_VERSION || pinnedEmulatorVersion;
  if (!/^\d+\.\d+(\.\d+)?$/.test(asked)) {
    throw new PtdiffError(
      'usage',
      `'${asked}' is not a QEMU version: write one such as 11.1.3 or 10.0.`,
    );
  }
  const prefix = await toolPrefix(`qemu-${asked}`, () => emulatorPlan(asked, options), options);
  const { tree, packages, notes } = prefix;
  const program = 'usr/bin/qemu-system-aarch64';
  const command = [...prefixCommand(tree, program), '-L', join(tree, 'usr/share/qemu')];
  const version = await emulatorVersion(command, `QEMU ${asked} of the cache`);
  const debian = packages.find(({ name }) => name === 'qemu-system-arm')?.version;
  const origin = `qemu-system-arm ${debian}`;
  return { command, version, sha256: await prefix.digestOf(program), origin, packages, notes };
}

async function emulatorPlan(asked: string, options: FetchOptions): Promise<PrefixPlan> {
  const offers: { archive: AptArchive; packages: IndexedPackage[] }[] = [];
  // The older release is searched only for what the newer one does not have: its lists are just as
  // large.
  for (const release of ['trixie', 'bookworm'] as const) {
    const archive = await openToolArchive(release, options);
    const packages = await packagesMatching(archive, /^qemu-system-arm$/);
    offers.push({ archive, packages });
    if (pickEmulator(packages, asked, false)?.notes.length === 0) {
      break;
    }
  }
  const offered = offers.flatMap(({ packages }) => packages);
  const picked = pickEmulator(offered, asked, asked === pinnedEmulatorVersion);
  const source = offers.find(
    ({ packages }) => picked !== undefined && packages.includes(picked.package),
  );
  if (picked === undefined || source === undefined) {
    const versions = offered.map(({ version, suite }) => `${version} (${suite})`).join(', ');
    throw new PtdiffError('emulator', `Debian's archive has no QEMU ${asked}; it has ${versions}.`);
  }
  const { name, version, suite } = picked.package;
  const packages = await packageClosure(source.archive, [`${name}=${version}`], suite);
  return { parts: [{ archive: source.archive, packages }], notes: picked.notes };
}

/**
 * The user's own QEMU.
 * @param name its path, or a command on PATH
 * @throws `usage` when there is none; `emulator` when it does not start or does not emulate arm64
 */
export async function userEmulator(name: string): Promise<Emulator> {
  const found = name.includes('/') ? name : await findCommand(name);
  const path = found && (await realpath(found).catch(() => undefined));
  if (path === undefined) {
    throw new PtdiffError(
      'usage',
      `There is no emulator ${name}: give --qemu the path of a qemu-system-aarch64.`,
    );
  }
  const version = await emulatorVersion([path], path);
  const { stdout } = await execa(path, ['-cpu', 'help'], { reject: false, ...briefly });
  if (!/\bcortex-a76\b/.test(stdout ?? '')) {
    throw new PtdiffError(
      'emulator',
      `${path} does not emulate arm64 CPUs: give --qemu the path of a qemu-system-aarch64.`,
    );
  }
  return {
    command: [path],
    version,
    sha256: await sha256File(path),
    origin: path,
    packages: [],
    notes: [],
  };
}

/** QEMU answers a version query at once; another program may not, and may ignore SIGTERM too. */
const briefly = { timeout: 30_000, killSignal: 'SIGKILL', stdin: 'ignore' } as const;

async function emulatorVersion(command: string[], name: string): Promise<string> {
  const words = [...command.slice(1), '--version'];
  const { stdout, stderr, message } = await execa(first(command), words, {
    reject: false,
    ...briefly,
  });
  const version = /^QEMU emulator version (\d+\.\d+\.\d+)/m.exec(stdout ?? '')?.[1];
  if (version === undefined) {
    const why =
      (stderr ?? '').trim().split('\n')[0] || (stdout ?? '').trim().split('\n')[0] || message;
    const told = plainLine(why ?? 'it printed nothing').slice(0, 200);
    throw new PtdiffError('emulator', `${name} does not print its version like QEMU: ${told}.`);
  }
  return version;
}
