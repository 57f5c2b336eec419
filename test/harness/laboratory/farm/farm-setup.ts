// SPDX-License-Identifier: GPL-2.0-only
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';

const root = join(import.meta.dirname, '..', '..', '..', '..');
const main = join(root, 'src', 'cli', 'main.ts');

/** Seconds after which whoever is not heard of counts as lost, in these tests. */
export const lease = 3;

const node = [process.execPath, '--disable-warning=ExperimentalWarning'];

const environment = (own: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => ({
  PTDIFF_FARM_LEASE: String(lease),
  NO_COLOR: '1',
  ...own,
});

/** A process of a test: what it said, and its end, whatever the end. */
export type Process = ReturnType<typeof start>;

/** Any command as a process. */
export function start([program = '', ...words]: string[], env: NodeJS.ProcessEnv) {
  return execa(program, words, {
    all: true,
    reject: false,
    stdin: 'ignore',
    env,
  });
}

/** The command line, as a process of its own. */
export function ptdiff(words: string[], env?: NodeJS.ProcessEnv): Process {
  return start([...node, main, ...words], environment(env));
}

/** A worker that answers with a recorded boot: see recorded-worker.ts. */
export function recordedWorker(url: string, label: string, env?: NodeJS.ProcessEnv): Process {
  const script = join(import.meta.dirname, 'recorded-worker.ts');
  return start([...node, script, url, label], environment(env));
}

/** Ends a process that may have been stopped; returns when it is gone. */
export async function end(child: Process, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  child.kill(signal);
  child.kill('SIGCONT');
  await child;
}

/** Settles when a condition holds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(50);
}

/** A network on loopback that can be cut. */
export class Network {
  readonly #server: Server;
  /** Each with where what it receives goes. */
  readonly #pairs = new Map<Socket, Socket>();
  #cut = false;
  #frozen = false;

  private constructor(server: Server, target: number) {
    this.#server = server;
    server.on('connection', (near) => {
      if (this.#cut) {
        near.destroy();
        return;
      }
      const far = connect(target, '127.0.0.1');
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#pairs.set(socket, other);
        socket.on('error', () => {});
        socket.on('close', () => {
          this.#pairs.delete(socket);
          other.destroy();
        });
        if (!this.#frozen) socket.pipe(other);
      }
    });
  }

  static async start(target: number): Promise<Network> {
    const server = createServer();
    const network = new Network(server, target);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return network;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** All connections end, and no other is taken. */
  cut(): void {
    this.#cut = true;
    for (const socket of this.#pairs.keys()) socket.destroy();
  }

  /** Nothing passes any more, and nobody is told: as where a cable is drawn. */
  freeze(): void {
    this.#frozen = true;
    this.loseLines();
  }

  /** What was held back arrives: the cable is in again, and nobody has been told of anything. */
  thaw(): void {
    this.#frozen = false;
    for (const [socket, other] of this.#pairs) socket.pipe(other);
  }

  /** The lines of now carry nothing for ever, others work: as where a router forgets them. */
  loseLines(): void {
    for (const socket of this.#pairs.keys()) {
      socket.unpipe();
      socket.pause();
    }
  }

  mend(): void {
    this.#cut = false;
    this.#frozen = false;
  }

  async close(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
