// SPDX-License-Identifier: GPL-2.0-only
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { say } from '../../../host/say.ts';
import { messageOf, PtdiffError } from '../../../src/errors.ts';
import { type FarmAddress, farmName } from './address.ts';
import { farmTimes } from './protocol.ts';

/** How long an engine may take to answer the first time, in milliseconds. */
const firstAnswer = 20_000;
/**
 * A connection that is silent for so long while something is awaited is made anew, in milliseconds:
 * before whoever uses it counts as lost. What waits at the engine for something to come waits for
 * at most ten seconds.
 */
const silence = Math.min(30_000, Math.max(12_000, farmTimes.lease / 2));

/** How ioredis reaches a farm; BullMQ makes connections of its own from it. */
export function connectionOptions(address: FarmAddress) {
  const { host, port, db, tls, username, password } = address;
  return {
    host,
    port,
    db,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls: {} }),
    keepAlive: 10_000,
    // A line that is cut without a word, as where a router forgets it, would be listened to forever.
    socketTimeout: silence,
    // What was asked while the engine was away is asked again when it is back.
    maxRetriesPerRequest: null,
    retryStrategy: (times: number) => Math.min(200 * times, 5000),
  };
}

/** What of TLS the engine and the URL, or this host, do not agree about, as OpenSSL tells it. */
function mismatch({ tls }: FarmAddress, why: string): string | undefined {
  if (!tls) return undefined;
  if (/does not match certificate/.test(why))
    return `its certificate is for other hosts (${why}): name it by one of those`;
  if (/certificate has expired|certificate is not yet valid/.test(why))
    return `its certificate does not hold now (${why}): renew it, or see to this host's clock`;
  if (/certificate/.test(why))
    return `its certificate is of no CA that this host knows (${why}): NODE_EXTRA_CA_CERTS=FILE names the certificate of one`;
  return undefined;
}

function refusal(address: FarmAddress, error: unknown): PtdiffError {
  const name = farmName(address);
  const why = messageOf(error).replace(/\.$/, '');
  if (/NOAUTH|WRONGPASS|NOPERM|invalid password|without any password/i.test(why))
    return new PtdiffError(
      'usage',
      `The farm at ${name} does not let this user in: check user and password, and the ACL of docs/farm.md.`,
      { cause: error },
    );
  const wrongUrl = mismatch(address, why);
  if (wrongUrl !== undefined)
    return new PtdiffError('usage', `Cannot use the farm at ${name}: ${wrongUrl}.`, {
      cause: error,
    });
  // An engine that ends at that moment does the same as one that wants TLS.
  if (!address.tls && /Connection is closed|ECONNRESET|EPIPE/.test(why))
    return new PtdiffError(
      'host',
      `The farm at ${name} ends the connection without an answer: see that its engine runs; where it wants TLS, write rediss://.`,
      { cause: error },
    );
  // An engine without TLS waits for the end of what it takes for a question.
  const by = address.tls ? ', that it speaks TLS on this port,' : '';
  return new PtdiffError(
    'host',
    `Cannot reach the farm at ${name}: ${why}; see that its engine runs${by} and that the URL is right.`,
    { cause: error },
  );
}

/**
 * Connects to a farm's engine. Once it has answered, an engine that goes away is waited for.
 * @throws PtdiffError(host) when it does not answer, (usage) when it does not let this user in, or
 * is too old
 */
export async function connect(address: FarmAddress): Promise<Redis> {
  const client = new Redis({
    ...connectionOptions(address),
    lazyConnect: true,
    retryStrategy: () => null,
  });
  let last: unknown;
  client.on('error', (error) => {
    last = error;
  });
  try {
    await Promise.race([
      client.connect(),
      sleep(firstAnswer, undefined, { ref: false }).then(() => {
        throw new Error(`no answer within ${firstAnswer / 1000} s`);
      }),
    ]);
    await client.ping();
    checkEngine(address, await client.info('server'));
  } catch (error) {
    client.disconnect();
    if (error instanceof PtdiffError) throw error;
    const closed = /Connection is closed/.test(messageOf(error));
    throw refusal(address, closed && last !== undefined ? last : error);
  }
  client.options.retryStrategy = (times) => Math.min(200 * times, 5000);
  return client;
}

/**
 * Says when an engine goes away, and when it is back.
 * @param over whether nobody cares any more
 */
export function tellOutages(client: Redis, address: FarmAddress, over: () => boolean): void {
  const name = farmName(address);
  let away = false;
  client.on('close', () => {
    if (!away && !over()) say(`lost the farm at ${name}; waiting for it`);
    away = true;
  });
  client.on('ready', () => {
    if (away) say(`the farm at ${name} is back`);
    away = false;
  });
}

/** BullMQ wants 6.2; the blocking reads of a queue are exact from 7.0.8 on. */
function checkEngine(address: FarmAddress, info: string): void {
  const version = /^(?:valkey|redis)_version:(\d+)[.\d]*/m.exec(info);
  if (version && Number(version[1]) >= 7) return;
  const told = version?.[0].replace(/^.*:/, '') ?? 'unknown';
  throw new PtdiffError(
    'usage',
    `The engine at ${farmName(address)} is of version ${told}: a farm wants Valkey, or Redis from 7 on.`,
  );
}

/**
 * Asks an engine until it answers: what fails because the connection does is asked again. Each
 * question must be one that may be asked twice.
 * @throws what the engine itself says against the question; the signal's reason
 */
export async function persistently<T>(
  ask: () => Promise<T>,
  { signal, pause = 500 }: { signal?: AbortSignal; pause?: number } = {},
): Promise<T> {
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await ask();
    } catch (error) {
      if (!isLost(error)) throw error;
      await sleep(pause, undefined, { signal });
    }
  }
}

/** Whether a connection failed, or an engine is not ready yet, rather than the question. */
export function isLost(error: unknown): boolean {
  return /Connection is closed|Socket (timeout|closed)|ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|ENOTFOUND|EAI_AGAIN|LOADING|MASTERDOWN|OOM |MISCONF|NOREPLICAS|READONLY|BUSY |TRYAGAIN|closed by|Stream isn't writeable|timed out/i.test(
    messageOf(error),
  );
}
