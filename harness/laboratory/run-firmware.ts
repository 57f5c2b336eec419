// SPDX-License-Identifier: GPL-2.0-only
import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildInitramfs } from '../../guest/build.ts';
import { say } from '../../host/say.ts';
import { withMachineFolder } from '../../host/scratch-directory.ts';
import { writeEvidence } from '../../results/evidence-files.ts';
import { splatFindings } from '../../src/diff/invariants/no-splat.ts';
import type { Finding } from '../../src/diff/types.ts';
import { PtdiffError } from '../../src/errors.ts';
import { cpuNamed } from '../../src/scenario/cpus.ts';
import { bootFirmware, type FirmwareBoot } from '../boot/boot-firmware.ts';
import { commandLine } from './boot-case.ts';
import { chooseEmulator } from './laboratory.ts';
import { loadKernel } from './loaded-kernel.ts';
import { scenariosNamed } from './plan.ts';

/** One boot from a flash image. */
export interface FirmwareRequest {
  firmware: string;
  kernels: string[];
  scenarios: string[];
  out: string;
  qemu?: string;
}

/** The result of that boot. */
interface FirmwareResult {
  boot: FirmwareBoot;
  findings: Finding[];
}

/**
 * Boots one scenario on one kernel, or what the image itself contains, and collects the evidence
 * that needs no knowledge of the software in between: the console, complaints, and init's records
 * if they are found in RAM.
 * @throws PtdiffError(usage) for more than one kernel or scenario, or a file that cannot be read
 */
export async function runFirmware(
  request: FirmwareRequest,
  signal: AbortSignal,
): Promise<FirmwareResult> {
  const firmware = resolve(request.firmware);
  if (statSync(firmware, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new PtdiffError('usage', `${firmware} is not a file; --firmware takes a flash image.`);
  }
  const [scenario, ...others] = (
    await Promise.all(
      (request.scenarios.length > 0 ? request.scenarios : ['rme+max']).map(scenariosNamed),
    )
  ).flat();
  if (!scenario || others.length > 0 || request.kernels.length > 1) {
    throw new PtdiffError(
      'usage',
      '--firmware boots one scenario on one kernel; name one of each.',
    );
  }
  if (scenario.machine.others !== undefined) {
    throw new PtdiffError(
      'usage',
      `${scenario.name} has CPUs that differ, which only the realm monitor can provide.`,
    );
  }
  const [spec] = request.kernels;
  const kernel = spec === undefined ? undefined : await loadKernel(spec, { progress: say, signal });
  const { command } = await chooseEmulator(request.qemu);
  signal.throwIfAborted();
  return withMachineFolder(scenario.machine, async (folder) => {
    const machine = {
      emulator: command,
      machine: scenario.machine,
      cpu: cpuNamed(scenario.machine.cpu).qemu,
      userFirmware: firmware,
      ...(kernel && {
        image: kernel.image.imagePath,
        initramfs: (await buildInitramfs({ progress: say })).path,
        commandLine: commandLine(kernel, scenario),
        ...(scenario.seed !== undefined && { seed: scenario.seed }),
      }),
    };
    const boot = await bootFirmware(machine, folder, signal);
    const findings = splatFindings(boot);
    keep(request.out, boot);
    return { boot, findings };
  });
}

/** The files of a case, as far as they exist. */
function keep(out: string, { console, files, probes, guestProblems }: FirmwareBoot): void {
  writeEvidence(join(out, 'firmware'), {
    captures: [],
    splitRequests: [],
    files,
    probes,
    ...(guestProblems && { guestProblems }),
    console,
    end: { kind: 'completed' },
    image: { pa: 0, slide: 0n },
    idRegisters: [],
  });
}
