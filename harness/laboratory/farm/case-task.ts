// SPDX-License-Identifier: GPL-2.0-only
import { readFile } from 'node:fs/promises';
import { withScratch } from '../../../host/cache.ts';
import { say } from '../../../host/say.ts';
import { upstreamVersion } from '../../../images/debian/version.ts';
import { keptImage } from '../../../images/keep-image.ts';
import { flavours, formatKernelSpec, parseKernelSpec } from '../../../images/kernel-spec.ts';
import { resolveKernel } from '../../../images/kernels.ts';
import { packReturned } from '../../../results/returned-case.ts';
import { PtdiffError } from '../../../src/errors.ts';
import { builtInScenarios } from '../../../src/scenario/built-in.ts';
import { stableJson } from '../../../src/stable-json.ts';
import { withDrivers } from '../boot-case.ts';
import { recallFacts } from '../facts-cache.ts';
import { type Laboratory, prepareLaboratory } from '../laboratory.ts';
import { describeKernel, type LoadedKernel } from '../loaded-kernel.ts';
import { runCase } from '../run-case.ts';
import { fetchBlob } from './blobs.ts';
import { type CaseJob, checkedScenario, type JobKernel } from './protocol.ts';
import type { WorkerLink, WorkerTasks } from './worker-tasks.ts';

/** Kernels that a worker keeps in memory: one has some ten megabytes of symbols. */
const mostKernels = 4;

type Fetch = (digest: string) => Promise<string>;

/** Where a kernel's files are on this host. */
interface KernelFiles {
  imagePath: string;
  configPath?: string;
}

/** The archive has it under the same name, if it has not been built anew since. */
async function fromArchive(
  kernel: JobKernel,
  signal: AbortSignal,
): Promise<KernelFiles | undefined> {
  const { spec, version, flavour, sha256 } = kernel;
  if (parseKernelSpec(spec).kind !== 'debian' || !(flavour in flavours)) return undefined;
  const exact = formatKernelSpec({
    kind: 'debian',
    version: upstreamVersion(version),
    flavour: flavour as keyof typeof flavours,
  });
  const found = await resolveKernel(exact, { progress: say, signal }).catch(() => undefined);
  return found?.sha256 === sha256 ? found : undefined;
}

async function filesOf(kernel: JobKernel, fetch: Fetch, signal: AbortSignal): Promise<KernelFiles> {
  const kept = await keptImage(kernel.sha256);
  const imagePath =
    kept?.imagePath ??
    (await fromArchive(kernel, signal))?.imagePath ??
    (await fetch(kernel.sha256));
  // Which configuration lies beside an Image in this cache says nothing of the job's.
  return {
    imagePath,
    ...(kernel.config !== undefined && { configPath: await fetch(kernel.config) }),
  };
}

/** What a worker has of its own, and what it got by hash where that differs. */
async function laboratoryFor(own: Laboratory, job: CaseJob, fetch: Fetch): Promise<Laboratory> {
  const wanted = job.monitor;
  const monitor =
    wanted === undefined || own.monitor?.sha256 === wanted
      ? own.monitor
      : { code: await readFile(await fetch(wanted)), sha256: wanted };
  const { recorderLibrary, ...rest } = own;
  return {
    ...rest,
    ...(monitor && { monitor }),
    ...(job.record && recorderLibrary !== undefined && { recorderLibrary }),
  };
}

/**
 * Runs cases of a farm as `ptdiff run` does, and packs what comes of them. A job says which case by
 * hashes; what is run is this ptdiff's own.
 * @param keep bytes that files fetched from farms may take in the cache
 */
export function caseTasks(own: Laboratory, keep: number): WorkerTasks {
  const kernels = new Map<string, Promise<LoadedKernel>>();
  const load = (job: JobKernel, fetch: Fetch, signal: AbortSignal): Promise<LoadedKernel> => {
    const { config, ...rest } = job;
    const key = stableJson(job);
    const known =
      kernels.get(key) ??
      filesOf(job, fetch, signal).then((files) => describeKernel({ ...rest, ...files, notes: [] }));
    kernels.delete(key);
    kernels.set(key, known);
    known.catch(() => kernels.delete(key));
    for (const oldest of [...kernels.keys()].slice(0, -mostKernels)) kernels.delete(oldest);
    return known;
  };
  return {
    runCase: async (job: CaseJob, { client }: WorkerLink, signal: AbortSignal) => {
      const fetch = (digest: string) => fetchBlob({ client, run: job.run, keep }, digest, signal);
      const scenario = checkedScenario(job.case.scenario);
      const kernel = await load(job.kernel, fetch, signal).catch((error) => {
        // It may have been loaded for another run, which has ended meanwhile.
        signal.throwIfAborted();
        if (error instanceof PtdiffError) throw error;
        return load(job.kernel, fetch, signal);
      });
      const each = { ...job.case, scenario, kernel };
      const laboratory = await laboratoryFor(own, job, fetch);
      const drivers = await withDrivers(laboratory, each, signal);
      const same = drivers.initramfs.sha256 === job.initramfs;
      // With another compiler the guest's programs are other bytes: the job's are what counts.
      const initramfs = same
        ? drivers.initramfs
        : { path: await fetch(job.initramfs), sha256: job.initramfs };
      const whole: Laboratory = { ...laboratory, initramfs, hasModules: true };
      return withScratch(async (directory) => {
        const result = await runCase(whole, { ...each, directory }, signal);
        const facts = await recallFacts({
          kernelSha256: kernel.image.sha256,
          emulatorSha256: laboratory.emulator.sha256,
          scenario,
        });
        return packReturned(directory, result, facts && JSON.parse(stableJson(facts)));
      });
    },
  };
}

/** The laboratory of a worker: it must be ready for any scenario. */
export function workerLaboratory(): Promise<Laboratory> {
  return prepareLaboratory(builtInScenarios, undefined);
}
