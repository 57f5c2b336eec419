// SPDX-License-Identifier: GPL-2.0-only
import { channel } from 'node:diagnostics_channel';

/** Parts of the work in which wall time is spent. */
export const workParts = [
  /** From Debian's archive: package lists, kernels, tools, modules. */
  'downloads',
  /** Packages that came. */
  'unpacking',
  /** Programs of the guest. */
  'compiling',
  /** Symbols and traits of a kernel's Image. */
  'reading kernels',
  /** QEMU, until it stands at the guest's reset, and its end. */
  'starting',
  /** The guest runs, from stop to stop. */
  'booting',
  /** The guest stands: its registers and RAM are read. */
  'walking',
  /** The prediction, and everything that is compared with it. */
  'judging',
  /** The folder of a case, and its line in the run's. */
  'writing',
  /** The store, and report.html. */
  'report',
] as const;
export type WorkPart = (typeof workParts)[number];

/** One stretch of work, from start to end on the clock of performance.now(). */
export interface WorkTime {
  part: WorkPart;
  start: number;
  end: number;
}

const times = channel('ptdiff:work-time');

function tell(part: WorkPart, start: number): void {
  times.publish({ part, start, end: performance.now() } satisfies WorkTime);
}

/** Does a part of the work, and tells whoever listens how long that took, however it ends. */
export async function timed<T>(part: WorkPart, work: () => T | Promise<T>): Promise<T> {
  const start = performance.now();
  try {
    return await work();
  } finally {
    tell(part, start);
  }
}

/** The same for work that cannot wait. */
export function timedNow<T>(part: WorkPart, work: () => T): T {
  const start = performance.now();
  try {
    return work();
  } finally {
    tell(part, start);
  }
}

/** Hears of all such work in this process, until the returned function is called. */
export function listenToTimes(hear: (time: WorkTime) => void): () => void {
  const listener = (message: unknown) => hear(message as WorkTime);
  times.subscribe(listener);
  return () => void times.unsubscribe(listener);
}
