// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { statFields } from '../harness/emulator/qemu-process.ts';

/** CPU seconds, user and system. */
export interface CpuSeconds {
  /** This process: its JavaScript, including compiler and garbage collector. */
  own: number;
  /** All processes that it started and that have ended meanwhile, with their own children. */
  children: number;
}

/** Linux's USER_HZ, the unit of the times in /proc/PID/stat. */
const TICKS = 100;

function now(): CpuSeconds {
  const { user, system } = process.cpuUsage();
  // proc_pid_stat(5): cutime and cstime, the 14th and 15th field after the name.
  const [childUser = Number.NaN, childSystem = Number.NaN] = statFields(
    readFileSync('/proc/self/stat', 'latin1'),
  )
    .slice(13, 15)
    .map(Number);
  return { own: (user + system) / 1e6, children: (childUser + childSystem) / TICKS };
}

/** The cost of an action; nothing else may run in this process at the same time. */
export async function cpuSecondsOf(action: () => Promise<unknown>): Promise<CpuSeconds> {
  const before = now();
  await action();
  const after = now();
  return { own: after.own - before.own, children: after.children - before.children };
}
