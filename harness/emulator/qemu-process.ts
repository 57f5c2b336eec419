// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ProcessGroup } from '../../host/process-group.ts';
import { PtdiffError } from '../../src/errors.ts';

/**
 * Linux's USER_HZ, the unit of the times in /proc/PID/stat, is 100 on every architecture that Node
 * runs on.
 */
const ticksPerSecond = 100;

/** SIGBUS: the file system has no room for a page of a mapped file. */
const busError = 7;

/**
 * QEMU starts, or writes a device tree, within a second; if it takes this long, even on a loaded
 * host, it never will.
 */
export const startMilliseconds = 120_000;

/** How QEMU ended, and its last message on standard error. */
interface QemuExit {
  /** 'with status 1', 'killed by signal 9'. */
  how: string;
  lastWords: string;
}

/** A QEMU under supervision: it ends with the harness, however the harness ends. */
export class QemuProcess {
  /** Settles when QEMU is gone; never rejects. */
  readonly exited: Promise<QemuExit>;
  readonly #group: ProcessGroup;

  private constructor(group: ProcessGroup) {
    this.#group = group;
    this.exited = group.ended.then(({ status, stderr, note }) => {
      const spoken = stderr.split('\n').filter((line) => line.trim() !== '');
      return { how: note ?? describeStatus(status), lastWords: spoken.at(-1)?.slice(0, 400) ?? '' };
    });
  }

  /**
   * Prepares QEMU, which waits for begin().
   * @param scratch a file or folder, existing or not, that is removed when the harness dies or
   * stops the process
   * @throws PtdiffError('host') when the host cannot start it
   */
  static async prepare(command: string[], scratch: string): Promise<QemuProcess> {
    return new QemuProcess(await ProcessGroup.start(command, { scratch }));
  }

  begin(): void {
    this.#group.begin();
  }

  /** Ends QEMU: SIGTERM, two seconds, SIGKILL; returns when it is gone. */
  async stop(): Promise<void> {
    await this.#group.end();
  }
}

/** What to tell the user when QEMU ended too early. */
export function deathOfQemu(exit: QemuExit): PtdiffError {
  const words = exit.lastWords === '' ? 'it said nothing' : `its last words: ${exit.lastWords}`;
  return new PtdiffError(
    'emulator',
    `QEMU ended ${exit.how} before the end of the boot; ${words}.`,
  );
}

/**
 * The death of QEMU, if it has died: its own message says more than the broken connections, which
 * may be noticed a little before its end.
 */
export async function deathNotice(process: QemuProcess): Promise<PtdiffError | undefined> {
  const exit = await Promise.race([process.exited, sleep(1000, undefined, { ref: false })]);
  return exit && deathOfQemu(exit);
}

function describeStatus(status: number | undefined): string {
  if (status === undefined) {
    return 'together with its supervisor';
  }
  const signal = status - 128;
  if (signal === busError) {
    return 'by signal 7 (SIGBUS: the folder of its RAM file is full)';
  }
  return signal > 0 ? `by signal ${signal}` : `with status ${status}`;
}

/** CPU time in seconds of each thread of a process, by its id. */
export type ThreadSeconds = ReadonlyMap<string, number>;

/** What a process is doing. */
interface ProcessActivity {
  worked: ThreadSeconds;
  /** A thread runs, or waits only for a host CPU. */
  runnable: boolean;
  /** It was stopped from outside: SIGSTOP, or a debugger. */
  stopped: boolean;
}

/**
 * The CPU time of a process's threads, and what they wait for; undefined when the process is gone.
 */
export function processActivity(pid: number): ProcessActivity | undefined {
  const threads = ofThreads(pid, 'stat')?.map(({ thread, text }) => ({
    thread,
    fields: statFields(text),
  }));
  const seconds = (fields: string[]) => (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  return (
    threads && {
      worked: new Map(threads.map(({ thread, fields }) => [thread, seconds(fields)])),
      runnable: threads.some(({ fields }) => fields[0] === 'R'),
      stopped: threads.some(({ fields }) => /[Tt]/.test(fields[0] ?? '')),
    }
  );
}

/**
 * The longest time in seconds for which one thread of a process was ready to run but had no host
 * CPU (run_delay, Documentation/scheduler/sched-stats.rst); undefined when the process is gone, or
 * where the host does not count it.
 */
export function longestCpuWait(pid: number): number | undefined {
  const waits = ofThreads(pid, 'schedstat')?.map(({ text }) => Number(text.split(' ')[1]) / 1e9);
  return waits && Math.max(...waits);
}

/** A file of proc(5) for each thread of a process; undefined when one of them is gone. */
function ofThreads(pid: number, file: string): { thread: string; text: string }[] | undefined {
  const folder = `/proc/${pid}/task`;
  try {
    return readdirSync(folder).map((thread) => ({
      thread,
      text: readFileSync(`${folder}/${thread}/${file}`, 'latin1'),
    }));
  } catch {
    return undefined;
  }
}

/**
 * proc_pid_stat(5) from the third field on: the second, the name in parentheses, may hold anything.
 */
export function statFields(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}
