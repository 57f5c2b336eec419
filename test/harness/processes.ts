import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

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
