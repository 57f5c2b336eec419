// SPDX-License-Identifier: GPL-2.0-only
import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';
import {
  cachePath,
  cacheRoot,
  type Progress,
  requireUsableCache,
  sha256,
} from '../../host/cache.ts';
import { explainDiskFull, requireSpace } from '../../host/disk-space.ts';
import { requireHostTools } from '../../host/host-tools.ts';
import { withLock } from '../../host/lock.ts';
import { makeFolder } from '../../host/make-folder.ts';
import { readRecord, writeRecord } from '../../host/records.ts';
import { timed } from '../../host/timed.ts';
import { briefTool, longTool } from '../../host/tool-limits.ts';
import { PtdiffError } from '../../src/errors.ts';
import { debianMirror } from './mirror.ts';

export type DebianArchitecture = 'amd64' | 'arm64';

/** Options that every function takes which may fetch something. */
export interface FetchOptions {
  /**
   * Address of a Debian mirror; default: `PTDIFF_MIRROR`, then the one that the host's apt uses.
   */
  mirror?: string;
  /** Fetch new package lists even when the cached ones are recent. */
  refresh?: boolean;
  progress?: Progress;
  /**
   * Ends builds and waits for other processes; unfinished results are kept or removed, but never
   * used as complete ones.
   */
  signal?: AbortSignal;
}

/**
 * A private apt: its own configuration, lists and cache; it neither reads nor writes the host's
 * packages and state.
 */
export interface AptArchive {
  /** Short name for messages and locks. */
  name: string;
  architecture: DebianArchitecture;
  mirror: string;
  directory: string;
  /** Environment that makes apt's programs use it. */
  env: { APT_CONFIG: string; LC_ALL: 'C' };
}

/** When the lists were fetched last, in milliseconds since 1970. */
const stampSchema = z.strictObject({ updated: z.number() });

/** Lists older than this are fetched again. */
const maximalListAge = 6 * 3600_000;
/** Size of the lists of the two largest suites, unpacked, while they are being replaced. */
const listBytes = 200 * 2 ** 20;

/** Debian's keys from the host's package debian-archive-keyring. */
const keyrings = [
  '/usr/share/keyrings/debian-archive-keyring.gpg',
  '/usr/share/keyrings/debian-archive-keyring.pgp',
];

/**
 * Settings of the host's configuration that say how to reach a mirror, never whether to trust it.
 */
const hostSettings =
  /^Acquire::(http|https|ftp|tor|Retries|Check-Date|Check-Valid-Until|Max-ValidTime|Max-FutureTime|ForceIPv4|ForceIPv6|Queue-Mode)\b/;

/** Archives that this process has set up; reading the host's settings takes a third of a second. */
const opened = new Map<string, Promise<AptArchive>>();

/**
 * Sets up a private apt in the cache, for some suites and one architecture.
 * @throws `host` where apt or Debian's keyring is missing, or no mirror is known
 */
export function openArchive(
  name: string,
  suites: string[],
  architecture: DebianArchitecture,
  options: FetchOptions,
): Promise<AptArchive> {
  const key = JSON.stringify([cacheRoot(), name, suites, architecture, options.mirror]);
  const archive = opened.get(key) ?? layOut(name, suites, architecture, options);
  opened.set(key, archive);
  // What was missing may be available at the next attempt.
  archive.catch(() => opened.delete(key));
  return archive;
}

async function layOut(
  name: string,
  suites: string[],
  architecture: DebianArchitecture,
  options: FetchOptions,
): Promise<AptArchive> {
  requireUsableCache();
  await requireHostTools();
  const mirror = await debianMirror(options.mirror);
  const keyring = await debianKeyring();
  const sources = suites
    .map((suite) => `deb [arch=${architecture} signed-by=${keyring}] ${mirror} ${suite} main\n`)
    .join('');
  const directory = cachePath('apt', `${name}-${architecture}-${sha256(sources).slice(0, 8)}`);
  for (const part of ['etc', 'state/lists/partial', 'cache/archives/partial']) {
    makeFolder(join(directory, part));
  }
  const configuration = join(directory, 'etc/apt.conf');
  await writeIfChanged(join(directory, 'state/status'), '');
  await writeIfChanged(join(directory, 'etc/sources.list'), sources);
  await writeIfChanged(
    configuration,
    configurationText(directory, architecture, await hostAcquireSettings()),
  );
  return { name, architecture, mirror, directory, env: { APT_CONFIG: configuration, LC_ALL: 'C' } };
}

async function debianKeyring(): Promise<string> {
  for (const keyring of keyrings) {
    const readable = await access(keyring).then(
      () => true,
      () => false,
    );
    if (readable) {
      return keyring;
    }
  }
  throw new PtdiffError(
    'host',
    `Debian's keys are not at ${keyrings[0]}, so no download could be verified: install the package debian-archive-keyring.`,
  );
}

/** Proxy, time-outs and the like: how this host reaches a mirror. */
async function hostAcquireSettings(): Promise<string> {
  const { stdout } = await execa(
    'apt-config',
    ['dump', '--format', '%f "%v";%n', 'Acquire'],
    briefTool,
  );
  return stdout
    .split('\n')
    .filter((line) => hostSettings.test(line))
    .join('\n');
}

function configurationText(
  directory: string,
  architecture: DebianArchitecture,
  acquire: string,
): string {
  // The host's own configuration is left out (Etc::Parts, Etc::Main), since its hooks affect the
  // host.
  return `Dir::Etc::Main "/dev/null";
Dir::Etc::Parts "/dev/null";
Dir::Etc::SourceList "${directory}/etc/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::Etc::Trusted "/dev/null";
Dir::Etc::TrustedParts "/dev/null";
Dir::State "${directory}/state";
Dir::State::Status "${directory}/state/status";
Dir::Cache "${directory}/cache";
Dir::Cache::srcpkgcache "";
APT::Architecture "${architecture}";
APT::Architectures { "${architecture}"; };
APT::Sandbox::User "root";
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::PDiffs "false";
Acquire::GzipIndexes "true";
Acquire::ForceHash "SHA256";
Acquire::Retries "2";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
${acquire}
`;
}

async function writeIfChanged(path: string, content: string): Promise<void> {
  const current = await readFile(path, 'utf8').catch(() => undefined);
  if (current !== content) {
    await writeFile(path, content);
  }
}

/**
 * When the lists were last fetched, in milliseconds since 1970, and what could not be fetched
 * since.
 */
interface ListState {
  updated: number;
  /** Sentences for the user about lists that are missing or too old. */
  notes: string[];
}

/**
 * Makes sure that there are package lists: new ones when the cached ones are older than a few hours
 * or `refresh` is set, otherwise the cached ones, as well as whenever the mirror cannot be reached.
 * @throws `host` when there are none at all
 */
export async function ensureLists(archive: AptArchive, options: FetchOptions): Promise<ListState> {
  const stamp = join(archive.directory, 'updated.json');
  const started = Date.now();
  const waiting = "waiting for another ptdiff that is fetching Debian's package lists";
  const renew = async () => {
    const known = await readRecord(stamp, stampSchema);
    const age = Date.now() - (known?.updated ?? 0);
    // A run that waited for another run's update does not repeat it, even with `refresh`.
    const fresh =
      known !== undefined &&
      (known.updated > started || (!options.refresh && age < maximalListAge));
    if (fresh) {
      return { updated: known.updated, notes: [] };
    }
    const failure = await timed('downloads', () => updateLists(archive, options));
    if (failure === undefined) {
      const state = { updated: Date.now(), notes: [] };
      await writeRecord(stamp, { updated: state.updated });
      return state;
    }
    if (known === undefined) {
      throw new PtdiffError(
        'host',
        `Cannot fetch Debian's package lists from ${archive.mirror} (${failure}), and the cache has none yet: check the network, or set PTDIFF_MIRROR.`,
      );
    }
    const when = new Date(known.updated).toISOString().slice(0, 16);
    return {
      updated: known.updated,
      notes: [`The package lists could not be renewed (${failure}); those of ${when}Z are used.`],
    };
  };
  return withLock(`apt-${archive.name}-${archive.architecture}`, renew, { ...options, waiting });
}

/** @returns undefined, or why some list could not be fetched */
async function updateLists(
  archive: AptArchive,
  options: FetchOptions,
): Promise<string | undefined> {
  await requireSpace(listBytes, "Debian's package lists");
  options.progress?.(`fetching Debian's package lists (${archive.name}) from ${archive.mirror}`);
  const { exitCode, stderr, stdout } = await execa('apt-get', ['update', '-q'], {
    ...longTool,
    env: archive.env,
    reject: false,
  });
  const complaint =
    /^(?:E|W|Err):\s*(Failed to fetch.*|The repository.*|GPG error.*|.*No space left.*)$/m.exec(
      `${stderr ?? ''}\n${stdout ?? ''}`,
    )?.[1];
  if (exitCode === 0 && complaint === undefined) {
    return undefined;
  }
  const why = complaint ?? (stderr ?? '').trim().split('\n')[0];
  const error = new Error(why || 'apt-get update failed');
  const explained = await explainDiskFull(error, "Debian's package lists");
  if (explained !== error) {
    throw explained;
  }
  return error.message.replace(/\s+/g, ' ').replace(/[.\s]+$/, '');
}
