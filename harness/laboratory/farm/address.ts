// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { cachePath } from '../../../host/cache.ts';
import { readTextIfAny } from '../../../host/host-file.ts';
import { PtdiffError } from '../../../src/errors.ts';

/** Where a farm's engine listens, and as whom to log in. */
export interface FarmAddress {
  host: string;
  port: number;
  /** Number of the database; 0 where the URL names none. */
  db: number;
  tls: boolean;
  username?: string;
  password?: string;
}

/** What names a farm in a command line; the shell's history need not have the password. */
export const farmHelp =
  "the farm to use: rediss://USER:PASSWORD@HOST:PORT, redis:// for an engine on this machine, or 'here' for that of farm serve; PTDIFF_FARM_PASSWORD may hold the password";

/** Where `farm serve` keeps what its engine holds, and the URL of it. */
export const servedFolder = (): string => cachePath('farm-engine');
export const servedUrl = 'url';

function servedAddress(): string {
  const url = readTextIfAny(join(servedFolder(), servedUrl));
  if (url !== undefined) return url.trim();
  throw new PtdiffError(
    'usage',
    "No farm was served on this machine yet: start one by './ptdiff farm serve'.",
  );
}

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** The address for messages: without what is secret. */
export function farmName({ host, port }: Pick<FarmAddress, 'host' | 'port'>): string {
  return `${host}:${port}`;
}

function parsed(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const known = url?.protocol === 'redis:' || url?.protocol === 'rediss:';
  if (url && known && url.hostname !== '' && url.search === '' && url.hash === '') return url;
  throw new PtdiffError(
    'usage',
    'A farm is named by rediss://USER:PASSWORD@HOST:PORT, or by redis:// where its engine runs on this machine.',
  );
}

/**
 * Understands the URL of a farm. Whoever can write to an engine decides what its workers boot: so
 * beyond this machine it wants TLS and a password, and there is no default for either.
 * @param text as the user gave it
 * @param password what to take where the URL has none
 * @throws PtdiffError(usage) for what is no such URL, and for an engine elsewhere without TLS or a
 * password
 */
export function farmAddress(
  text: string,
  password = process.env.PTDIFF_FARM_PASSWORD,
): FarmAddress {
  const url = parsed(text === 'here' ? servedAddress() : text);
  const tls = url.protocol === 'rediss:';
  const here = loopback.test(url.hostname);
  const secret = decodeURIComponent(url.password) || password || undefined;
  const db = Number(url.pathname.slice(1) || '0');
  if (!Number.isInteger(db) || db < 0 || db > 15)
    throw new PtdiffError('usage', 'What follows the port of a farm is a database from 0 to 15.');
  if (!here && !tls)
    throw new PtdiffError(
      'usage',
      `A farm on another machine is reached by TLS alone: write rediss:// for ${url.hostname}.`,
    );
  if (!here && secret === undefined)
    throw new PtdiffError(
      'usage',
      `The farm at ${url.hostname} is named without a password: write rediss://USER:PASSWORD@HOST:PORT, or set PTDIFF_FARM_PASSWORD.`,
    );
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port || '6379'),
    db,
    tls,
    ...(url.username !== '' && { username: decodeURIComponent(url.username) }),
    ...(secret !== undefined && { password: secret }),
  };
}

/** The words of a command line without the passwords of farms: a run folder is passed on. */
export function withoutPasswords(words: readonly string[]): string[] {
  return words.map((word) => word.replace(/(rediss?:\/\/[^:@/]*):[^@]*@/, '$1:***@'));
}
