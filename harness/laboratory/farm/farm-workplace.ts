// SPDX-License-Identifier: GPL-2.0-only
import { hostname } from 'node:os';
import { sha256, sha256File } from '../../../host/cache.ts';
import { loadBlobs } from '../../../results/case-inputs.ts';
import {
  type ReturnedCase,
  unpackReturned,
  writeReturned,
} from '../../../results/returned-case.ts';
import type { RunDirectory } from '../../../results/run-directory.ts';
import type { CaseResult } from '../../../src/diff/types.ts';
import { messageOf, PtdiffError } from '../../../src/errors.ts';
import { first } from '../../../src/present.ts';
import { identitiesOf } from '../../../src/scenario/cpus.ts';
import { depthOf } from '../../../src/scenario/depth.ts';
import { stableJson } from '../../../src/stable-json.ts';
import { commandLine, withDrivers, withoutExercises } from '../boot-case.ts';
import { writeInputs } from '../case-files.ts';
import { keepFacts, parseFacts } from '../facts-cache.ts';
import type { Laboratory } from '../laboratory.ts';
import type { LoadedKernel } from '../loaded-kernel.ts';
import { kernelOf } from '../run-case.ts';
import type { PlacedCase, Workplace } from '../workplace.ts';
import type { FarmAddress } from './address.ts';
import { FarmRun, mostJobs } from './farm-run.ts';
import { ownIdentity } from './identity.ts';
import type { JobResult } from './job-table.ts';
import { type CaseJob, type JobKernel, mostResultBytes, queues } from './protocol.ts';

export interface FarmSetting {
  address: FarmAddress;
  laboratory: Laboratory;
  directory: RunDirectory;
  /** When the run began, as its record has it: it names the run when it is gone on with. */
  started: string;
  /** Lower ones come first; 0 is what somebody waits for. */
  priority?: number;
}

/** A run's name at the farm: of its folder on this host, and of when it began. */
export function runIdOf({
  directory,
  started,
}: Pick<FarmSetting, 'directory' | 'started'>): string {
  return sha256(`${hostname()}\n${directory.path}\n${started}`).slice(0, 16);
}

/**
 * Workers of a farm, any number of them on any machines.
 * @throws PtdiffError where the farm cannot be had
 */
export async function farmWorkplace(setting: FarmSetting): Promise<Workplace> {
  const { address, laboratory, directory, priority } = setting;
  const { version, sha256: emulator } = laboratory.emulator;
  const run = runIdOf(setting);
  const farm = await FarmRun.open({
    address,
    run,
    version: { ...ownIdentity(), emulator: { version, sha256: emulator } },
    ...(priority !== undefined && { priority }),
  });
  if (laboratory.monitor) farm.shelf.offer(laboratory.monitor.sha256, laboratory.monitor.code);
  const kernels = new KernelShelf(farm);
  return {
    jobs: mostJobs,
    retries: true,
    turn: (signal) => farm.turn(signal),
    run: async (each, signal) => {
      // The modules of its devices are a part of it: they decide by which initial RAM disk it boots.
      const prepare = async () => {
        const own = await withDrivers(laboratory, each, signal);
        farm.shelf.offer(own.initramfs.sha256, own.initramfs.path);
        return jobOf(each, await kernels.describe(each.kernel), own, run);
      };
      const name = `${run}-${sha256(stableJson([each.name, each.scenario, each.kernel.image.sha256])).slice(0, 24)}`;
      const end = await farm.submit(queues.cases, name, prepare, signal);
      return takeIn(each, end, await withDrivers(laboratory, each, signal), directory);
    },
    close: () => farm.close(),
  };
}

/** Kernels as jobs name them; their files are offered to workers. */
class KernelShelf {
  readonly #farm: FarmRun;
  readonly #known = new Map<string, Promise<JobKernel>>();

  constructor(farm: FarmRun) {
    this.#farm = farm;
  }

  describe({ image }: LoadedKernel): Promise<JobKernel> {
    const known = this.#known.get(image.spec) ?? this.#look(image);
    this.#known.set(image.spec, known);
    return known;
  }

  async #look(image: LoadedKernel['image']): Promise<JobKernel> {
    const { imagePath, configPath, notes: _, ...rest } = image;
    this.#farm.shelf.offer(image.sha256, imagePath);
    if (configPath === undefined) return rest;
    const config = await sha256File(configPath);
    this.#farm.shelf.offer(config, configPath);
    return { ...rest, config };
  }
}

function jobOf(each: PlacedCase, kernel: JobKernel, laboratory: Laboratory, run: string): CaseJob {
  const { kernel: _, hold: __, replay: ___, ...description } = each;
  return {
    schema: 1,
    ptdiff: ownIdentity().digest,
    run,
    case: description,
    kernel,
    emulator: laboratory.emulator.sha256,
    initramfs: laboratory.initramfs.sha256,
    ...(laboratory.monitor && { monitor: laboratory.monitor.sha256 }),
    ...(laboratory.recorderLibrary !== undefined && { record: true }),
  };
}

/**
 * Takes in what a worker sent: checked, and with this machine's own paths in what tells how to boot
 * the case again.
 * @throws PtdiffError(harness) when it is not the case that was asked for
 */
async function takeIn(
  each: PlacedCase,
  { packed, worker }: JobResult,
  laboratory: Laboratory,
  directory: RunDirectory,
): Promise<CaseResult> {
  let returned: ReturnedCase;
  try {
    if (packed.length > mostResultBytes.packed) throw new Error('it has no end');
    returned = await unpackReturned(packed, mostResultBytes.plain);
    requireAsked(each, returned, laboratory);
  } catch (error) {
    throw new PtdiffError(
      'harness',
      `What the worker ${worker.slice(0, 200)} sent for ${each.name} is no result of it: ${messageOf(error)}.`,
      { cause: error },
    );
  }
  const { result, files, facts, inputs } = returned;
  const { kernel, scenario } = each;
  const placed = { ...each, directory: directory.caseDirectory(each.name) };
  writeReturned(placed.directory, files);
  if (inputs) {
    const { cpu, commandLine: words, blobs } = inputs;
    const machine = {
      emulator: laboratory.emulator.command,
      machine: scenario.machine,
      cpu,
      image: kernel.image.imagePath,
      initramfs: laboratory.initramfs.path,
      commandLine: words,
      ...(scenario.seed !== undefined && { seed: scenario.seed }),
    };
    writeInputs(placed, laboratory, { kind: 'prepared', machine, ...loadBlobs(blobs) });
  }
  const known = facts === undefined ? undefined : parseFacts(facts);
  if (known) {
    const [kernelSha256, emulatorSha256] = [kernel.image.sha256, laboratory.emulator.sha256];
    await keepFacts({ kernelSha256, emulatorSha256, scenario }, known);
  }
  return { ...result, kernel: kernelOf(kernel), worker };
}

/** What a worker says of the boot is what this machine would have booted. */
function requireAsked(
  { name, kernel, scenario, depth }: PlacedCase,
  { result, inputs }: ReturnedCase,
  laboratory: Laboratory,
): void {
  const told: [string, unknown, unknown][] = [
    ['case', result.case, name],
    ['scenario', result.scenario, scenario.name],
    ['depth', depthOf(result), depth],
    ['kernel', result.kernel.sha256, kernel.image.sha256],
  ];
  if (inputs) {
    told.push(
      ['Image', inputs.kernel.sha256, kernel.image.sha256],
      ['scenario', stableJson(inputs.scenario), stableJson(scenario)],
      ['CPU', inputs.cpu, first(identitiesOf(scenario.machine)).qemu],
      ['command line', withoutExercises(inputs.commandLine), commandLine(kernel, scenario)],
      ['initial RAM disk', inputs.initramfs.sha256, laboratory.initramfs.sha256],
      ['emulator', inputs.emulator.sha256, laboratory.emulator.sha256],
    );
  }
  const other = told.find(([, found, asked]) => found !== asked);
  if (other) throw new Error(`its ${other[0]} is another one`);
}
