// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { statFields } from '../../harness/emulator/qemu-process.ts';
import { take } from '../given.ts';

/** Whether a process runs; a zombie does not. */
export function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

/** Whether a condition comes true, within a minute: these hosts are busy. */
export async function eventually(condition: () => boolean): Promise<boolean> {
  for (let attempt = 0; attempt < 1200 && !condition(); attempt++) await sleep(50);
  return condition();
}

/** A process that runs, as proc(5) has it. */
export interface RunningProcess {
  pid: number;
  /** The name of its program, as the kernel cuts it. */
  name: string;
  parent: number;
  group: number;
}

/** All processes that run; a zombie does not. */
function runningProcesses(): RunningProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
        const [state, parent, group] = take(statFields(stat), 3);
        const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
        return /[ZX]/.test(state)
          ? []
          : [{ pid: Number(pid), name, parent: Number(parent), group: Number(group) }];
      } catch {
        return [];
      }
    });
}

/** Everything that a process has started, and all of the groups that are led by some of that. */
export function groupsBelow(pid: number): RunningProcess[] {
  const all = runningProcesses();
  const below = new Set([pid]);
  for (let before = 0; before !== below.size; ) {
    before = below.size;
    for (const each of all) if (below.has(each.parent)) below.add(each.pid);
  }
  below.delete(pid);
  return all.filter((each) => below.has(each.pid) || below.has(each.group));
}
