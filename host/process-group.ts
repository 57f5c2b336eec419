// SPDX-License-Identifier: GPL-2.0-only
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { messageOf, PtdiffError } from '../src/errors.ts';
import { supervisorScript } from './supervisor.ts';

/**
 * Milliseconds in which the supervisor ends its command, SIGTERM and SIGKILL, with much to spare
 * for a busy host.
 */
const orderlyMilliseconds = 6_000;
/** Milliseconds in which the kernel ends what got SIGKILL, unless it hangs in the kernel itself. */
const killMilliseconds = 30_000;

/** How a command ended. */
export interface GroupEnd {
  /** Exit status as the shell's $?; absent when it was ended together with its supervisor. */
  status?: number;
  stdout: string;
  stderr: string;
  /** What the harness has to say of the end, as the end of a sentence 'it ended …'. */
  note?: string;
}

interface GroupOptions {
  /**
   * A file or folder that is gone when the group was ended, even if the harness was killed; what a
   * command that ended well left there stays.
   */
  scratch: string;
  /** The whole environment; this process's own when absent. */
  env?: Record<string, string>;
  /** Characters of output that are kept. */
  maxBuffer?: number;
}

/** Groups that were not seen to end. */
const living = new Set<ProcessGroup>();

/**
 * Whatever ends this process in a way that it notices, a second Ctrl-C or an exception, leaves
 * nothing behind.
 */
process.on('exit', () => {
  for (const group of living) group.kill();
});

/**
 * A command in a process group of its own under a supervisor (host/supervisor.ts): it ends with
 * this process, whatever ends that. Any process of the group may be killed or stopped from outside:
 * what is left of it is ended from here, within limits.
 */
export class ProcessGroup {
  /** Settles when the group is gone, or cannot be ended; never rejects. */
  readonly ended: Promise<GroupEnd>;
  readonly #scratch: string;
  readonly #pid: number;
  readonly #stdin: Supervisor['stdin'];
  #note?: string;
  /** Resolved when the group is to end: from then on time counts. */
  readonly #ending = Promise.withResolvers<void>();

  /**
   * Starts the supervisor; the command waits for begin().
   * @throws PtdiffError('host') when the host cannot start it: a command line that is too long, too
   * many processes, no shell
   */
  static async start(command: string[], options: GroupOptions): Promise<ProcessGroup> {
    const supervisor = spawn(command, options);
    if (supervisor.pid !== undefined)
      return new ProcessGroup(supervisor, supervisor.pid, options.scratch);
    const { code, originalMessage } = await supervisor;
    throw startFailure(command, code, originalMessage);
  }

  private constructor(supervisor: Supervisor, pid: number, scratch: string) {
    this.#pid = pid;
    this.#scratch = scratch;
    this.#stdin = supervisor.stdin;
    // Writing is tried once, but the reader may be gone first.
    supervisor.stdin.on('error', () => {});
    supervisor.once('exit', () => this.#ending.resolve());
    supervisor.stdio[3].once('close', () => this.#unguarded());
    living.add(this);
    this.ended = this.#outcome(supervisor);
  }

  /** Lets the command run. */
  begin(): void {
    this.#stdin.write('begin\n');
  }

  /** Ends the group: SIGTERM, two seconds, SIGKILL; returns when it is gone. */
  async end(): Promise<GroupEnd> {
    this.#stdin.destroy();
    this.#ending.resolve();
    const end = await this.ended;
    rmSync(this.#scratch, { recursive: true, force: true });
    return end;
  }

  /** SIGKILL to all of it, at once; and its scratch is gone. */
  kill(): void {
    this.#sendKill();
    rmSync(this.#scratch, { recursive: true, force: true });
  }

  #sendKill(): void {
    try {
      process.kill(-this.#pid, 'SIGKILL');
    } catch {
      // It is gone already.
    }
  }

  async #outcome(supervisor: Supervisor): Promise<GroupEnd> {
    const end = await Promise.race([supervisor.then(endOf), this.#deadline()]);
    living.delete(this);
    this.#stdin.destroy();
    // What a command leaves that ended well is for whoever started it.
    if (end.status !== 0) rmSync(this.#scratch, { recursive: true, force: true });
    return end.status === undefined && this.#note !== undefined
      ? { note: this.#note, ...end }
      : end;
  }

  /** What is said when the group does not end although it shall. */
  async #deadline(): Promise<GroupEnd> {
    await this.#ending.promise;
    await sleep(orderlyMilliseconds, undefined, { ref: false });
    this.#note ??= 'by SIGKILL from ptdiff, since its supervisor did not end it';
    if (living.has(this)) this.#sendKill();
    await sleep(killMilliseconds, undefined, { ref: false });
    return {
      stdout: '',
      stderr: '',
      note: `not even by SIGKILL: processes of its group ${this.#pid} may be left`,
    };
  }

  /**
   * The watcher is gone: either the whole group is, or nothing would end it with this process any
   * more.
   */
  #unguarded(): void {
    if (!living.has(this)) return;
    this.#note ??= 'by SIGKILL from ptdiff, since the process that guards it was killed';
    // Of a command that ended well the scratch stays, and its end may not have been seen yet.
    this.#sendKill();
    this.#ending.resolve();
  }
}

type Supervisor = ReturnType<typeof execute>;

/**
 * Detached: a Ctrl-C on the terminal goes to this process alone, which then ends the command in
 * order.
 */
function execute(command: string[], { scratch, env, maxBuffer = 2 ** 20 }: GroupOptions) {
  return execa('sh', ['-c', supervisorScript, 'ptdiff-supervisor', scratch, ...command], {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    detached: true,
    cleanup: false,
    reject: false,
    maxBuffer,
    ...(env && { extendEnv: false, env }),
  });
}

/** @throws PtdiffError('host') for what no process can have as an argument */
function spawn(command: string[], options: GroupOptions): Supervisor {
  try {
    return execute(command, options);
  } catch (error) {
    throw startFailure(command, undefined, messageOf(error));
  }
}

function startFailure(
  [program]: string[],
  code: string | undefined,
  message: unknown = 'it gave no reason',
): PtdiffError {
  const reasons: Record<string, string> = {
    E2BIG: 'its command line is longer than this host allows',
    EAGAIN: 'this host has too many processes',
    ENOMEM: 'this host has no memory left',
    ENOENT: 'there is no shell (sh) on PATH',
  };
  return new PtdiffError(
    'host',
    `Cannot start ${program}: ${reasons[code ?? ''] ?? String(message)}.`,
  );
}

/** The supervisor's own last word is how the command ended. */
function endOf({ stdout, stderr }: { stdout: string; stderr: string }): GroupEnd {
  const [, output = '', status] = /^([\s\S]*?)exit (\d+)\n?$/.exec(stdout) ?? [];
  return status === undefined
    ? { stdout, stderr }
    : { status: Number(status), stdout: output, stderr };
}
