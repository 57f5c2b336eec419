// SPDX-License-Identifier: GPL-2.0-only
import type { Redis } from 'ioredis';
import type { PtdiffError } from '../../../src/errors.ts';
import type { FarmAddress } from './address.ts';
import {
  type CaseJob,
  caseJobSchema,
  type FarmTimes,
  type FarmVersion,
  type KernelJob,
  kernelJobSchema,
} from './protocol.ts';

/** What a worker does with the jobs that it gets. */
export interface WorkerTasks {
  /**
   * Runs a case.
   * @returns it packed, see packReturned()
   * @throws PtdiffError for what is not the kernel's fault
   */
  runCase(job: CaseJob, farm: WorkerLink, signal: AbortSignal): Promise<Buffer>;
  /**
   * Builds a kernel, where this worker shall.
   * @returns it packed, see packBuilt()
   */
  buildKernel?(job: KernelJob, farm: WorkerLink, signal: AbortSignal): Promise<Buffer>;
}

/** A job of any queue, and what it takes to do it. */
export interface Task {
  ptdiff: string;
  run: string;
  name: string;
  /** Of the emulator that it wants; absent where it wants none. */
  emulator?: string;
  perform(signal: AbortSignal): Promise<Buffer>;
}

/** How a task reaches the farm that its job came from. */
export interface WorkerLink {
  client: Redis;
}

export interface WorkerSetting {
  address: FarmAddress;
  /** Cases at the same time. */
  jobs: number;
  /** What results and lists call it. */
  label: string;
  version: FarmVersion;
  tasks: WorkerTasks;
  signal: AbortSignal;
  times?: FarmTimes;
}

/** The task of a job's data; undefined for what is none. */
export function caseTask(data: unknown, tasks: WorkerTasks, link: WorkerLink): Task | undefined {
  const job = caseJobSchema.safeParse(data).data;
  if (!job) return undefined;
  return {
    ...job,
    name: job.case.name,
    perform: (signal) => tasks.runCase(job, link, signal),
  };
}

/** The same of a kernel that shall be built. */
export function kernelTask(
  data: unknown,
  build: NonNullable<WorkerTasks['buildKernel']>,
  link: WorkerLink,
): Task | undefined {
  const job = kernelJobSchema.safeParse(data).data;
  if (!job) return undefined;
  const { ptdiff, run, what } = job;
  return { ptdiff, run, name: what, perform: (signal) => build(job, link, signal) };
}

/**
 * As without a farm, emulator and harness are tried once more, and what the user or an image is to
 * blame for is not; a host's fault may be none of another host.
 */
export function isFinal({ fault }: PtdiffError, attemptsMade: number): boolean {
  if (fault === 'usage' || fault === 'image') return true;
  return fault !== 'host' && attemptsMade >= 1;
}
