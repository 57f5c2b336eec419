// SPDX-License-Identifier: GPL-2.0-only
import type { Redis } from 'ioredis';
import { PtdiffError } from '../../../src/errors.ts';
import { type FarmAddress, farmName } from './address.ts';
import {
  type FarmVersion,
  keys,
  parseJson,
  versionSchema,
  type WorkerInfo,
  workerSchema,
} from './protocol.ts';

/** The workers that told of themselves lately; of others the engine forgets the key. */
export async function readWorkers(client: Redis): Promise<WorkerInfo[]> {
  const ids = await client.smembers(keys.workers);
  if (ids.length === 0) return [];
  const texts = await client.mget(ids.map(keys.worker));
  const gone = ids.filter((_, index) => texts[index] === null);
  if (gone.length > 0) await client.srem(keys.workers, gone);
  return texts.flatMap((text) => parseJson(workerSchema, text ?? null) ?? []);
}

/** Tells of a worker, for as long as a lease lasts. */
export async function tellOfWorker(client: Redis, info: WorkerInfo, lease: number): Promise<void> {
  await client.set(keys.worker(info.id), JSON.stringify(info), 'PX', lease);
  await client.sadd(keys.workers, info.id);
}

/** Which ptdiff the farm runs now; undefined where nobody gives it work. */
export async function readVersion(client: Redis): Promise<FarmVersion | undefined> {
  return parseJson(versionSchema, await client.get(keys.version));
}

const sameVersion = (a: FarmVersion, b: FarmVersion): boolean =>
  a.digest === b.digest && a.emulator.sha256 === b.emulator.sha256;

/**
 * Says which ptdiff the farm runs, and keeps it so for the time of a lease.
 * @throws PtdiffError(usage) while it runs another
 */
export async function holdVersion(
  client: Redis,
  own: FarmVersion,
  address: FarmAddress,
  lease: number,
): Promise<void> {
  const text = JSON.stringify(own);
  if ((await client.set(keys.version, text, 'PX', lease, 'NX')) === 'OK') return;
  const there = await readVersion(client);
  if (there !== undefined && !sameVersion(there, own))
    throw new PtdiffError(
      'usage',
      `The farm at ${farmName(address)} is at work for ${describeVersion(there)}, and this is ${describeVersion(own)}: wait for its end, or bring both to one version.`,
    );
  await client.set(keys.version, text, 'PX', lease);
}

/**
 * @throws PtdiffError(usage) for a worker that is not what the farm runs now: results of two
 * versions must not be mixed
 */
export function checkVersion(
  there: FarmVersion | undefined,
  own: FarmVersion,
  address: FarmAddress,
): void {
  if (there === undefined || sameVersion(there, own)) return;
  throw new PtdiffError(
    'usage',
    `The farm at ${farmName(address)} runs ${describeVersion(there)}, and this worker is ${describeVersion(own)}: bring it to that version and start it again.`,
  );
}

/** E.g. 'ptdiff 0.1.0 (c4a1c57a2d98), sources 1f2e3d4c, with QEMU 11.1.3 (0a1b2c3d)'. */
export function describeVersion({ text, digest, emulator }: FarmVersion): string {
  return `${text}, sources ${digest.slice(0, 8)}, with QEMU ${emulator.version} (${emulator.sha256.slice(0, 8)})`;
}
