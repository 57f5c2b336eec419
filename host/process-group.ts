// SPDX-License-Identifier: GPL-2.0-only
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { messageOf, PtdiffError } from '../src/errors.ts';
import { supervisorScript } from './supervisor.ts';

/**
 * Milliseconds within which the supervisor ends its command (SIGTERM, then SIGKILL), with a large
 * margin for a busy host.
 */
const orderlyMilliseconds = 6_000;
/**
 * Milliseconds within which the kernel ends a process after SIGKILL, unless it hangs inside the
 * kernel.
 */
const killMilliseconds = 30_000;

/** How a command ended. */
export interface GroupEnd {
  /**
   * Exit status like the shell's $?; absent when the command was ended together with its
   * supervisor.
   */
  status?: number;
  stdout: string;
  stderr: string;
  /** The harness's remark about the end, as the end of a sentence 'it ended …'. */
  note?: string;
}

interface GroupOptions {
  /**
   * A file or folder that is removed when the group is ended, even if the harness was killed; if
   * the command succeeded, what it left there stays.
   */
  scratch: string;
  /** The whole environment; this process's own when absent. */
  env?: Record<string, string>;
  /** Characters of output that are kept. */
  maxBuffer?: number;
}

/** Groups that are not known to have ended. */
const living = new Set<ProcessGroup>();

/**
 * If this process ends in any way that it notices, such as a second Ctrl-C or an exception, nothing
 * is left behind.
 */
process.on('exit', () => {
  for (const group of living) group.kill();
});

/**
 * A command in a process group of its own under a supervisor (host/supervisor.ts): it ends together
 * with this process, however that ends. Any process of the group may be killed or stopped from
 * outside; the rest of the group is then ended from here, within limits.
 */
export class ProcessGroup {
  /** Settles when the group is gone, or cannot be ended; never rejects. */
  readonly ended: Promise<GroupEnd>;
  readonly #scratch: string;
  readonly #pid: number;
  readonly #stdin: Supervisor['stdin'];
  #note?: string;
  /** Resolved when the group must end; the time limit starts then. */
  readonly #ending = Promise.withResolvers<void>();

  /**
   * Starts the supervisor; the command waits for begin().
   * @throws PtdiffError('host') when the host cannot start it: the command line is too long, there
   * are too many processes, or no shell
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
    // One attempt to write is made, but the reader may already be gone.
    supervisor.stdin.on('error', () => {});
    supervisor.once('exit', () => this.#ending.resolve());
    supervisor.stdio[3].once('close', () => this.#unguarded());
    living.add(this);
    this.ended = this.#outcome(supervisor);
  }

  /** Starts the command. */
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

  /** Sends SIGKILL to the whole group at once, and removes its scratch. */
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
    // After a successful end, what the command left is for its caller.
    if (end.status !== 0) rmSync(this.#scratch, { recursive: true, force: true });
    return end.status === undefined && this.#note !== undefined
      ? { note: this.#note, ...end }
      : end;
  }

  /** The result if the group does not end although it should. */
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
   * The watcher is gone: either the whole group is gone too, or nothing would end it with this
   * process any more.
   */
  #unguarded(): void {
    if (!living.has(this)) return;
    this.#note ??= 'by SIGKILL from ptdiff, since the process that guards it was killed';
    // After a successful end the scratch stays, and the end may not have been noticed yet.
    this.#sendKill();
    this.#ending.resolve();
  }
}

type Supervisor = ReturnType<typeof execute>;

/**
 * Detached: a Ctrl-C on the terminal reaches only this process, which then ends the command in
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

/** @throws PtdiffError('host') for something that cannot be an argument of a process */
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

/** The supervisor's last line says how the command ended. */
function endOf({ stdout, stderr }: { stdout: string; stderr: string }): GroupEnd {
  const [, output = '', status] = /^([\s\S]*?)exit (\d+)\n?$/.exec(stdout) ?? [];
  return status === undefined
    ? { stdout, stderr }
    : { status: Number(status), stdout: output, stderr };
}
