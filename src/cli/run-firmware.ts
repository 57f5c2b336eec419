import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildInitramfs } from '../../guest/build.ts';
import { bootFirmware, type FirmwareBoot } from '../../harness/boot-firmware.ts';
import { writeEvidence } from '../../harness/evidence-files.ts';
import { withMachineFolder } from '../../harness/scratch-directory.ts';
import { splatFindings } from '../diff/invariants/no-splat.ts';
import type { Finding } from '../diff/types.ts';
import { PtdiffError } from '../errors.ts';
import { plainLine } from '../report/plain-text.ts';
import { cpuNamed } from '../scenario/cpus.ts';
import { exitCodes } from './exit-codes.ts';
import { chooseEmulator } from './laboratory.ts';
import { loadKernel } from './loaded-kernel.ts';
import { say } from './output.ts';
import { scenariosNamed } from './plan.ts';
import { commandLine } from './run-case.ts';

/** One boot by a flash image. */
export interface FirmwareRequest {
  firmware: string;
  kernels: string[];
  scenarios: string[];
  out: string;
  qemu?: string;
}

/** What is told of the boot, on stdout: text of the guest without what no terminal should get. */
function summary({ end, recordsFound, files, probes, guestProblems = [] }: FirmwareBoot, findings: Finding[]): string {
  const told = recordsFound ? `${Object.keys(files).length} files of the guest` : 'no records of its init';
  const lines = [
    `The machine stood still: ${plainLine(end)}. RAM holds ${told}.`,
    ...probes.map(
      ({ probe, call, errno }) => `probe ${probe}: ${errno === 0 ? 'ok' : `${call} failed, errno ${errno}`}`,
    ),
    ...guestProblems.map((problem) => `guest: ${problem}`),
    ...findings.flatMap(({ id, detail }) => [id, ...detail.split('\n').map((line) => `  ${line}`)]),
    "Not looked at: page tables, registers, the realm's RIPAS; nothing was predicted.",
  ];
  return `${lines.map(plainLine).join('\n')}\n`;
}

/**
 * `ptdiff run --firmware FILE`: boots one scenario on one kernel, or what the image brings itself, and takes the evidence that needs no
 * knowledge of what runs in between: console, complaints, and init's records where they are found in RAM.
 * @returns the exit code
 * @throws PtdiffError(usage) for more than one kernel or scenario, or a file that is not to be read
 */
export async function runFirmware(request: FirmwareRequest, signal: AbortSignal): Promise<number> {
  const firmware = resolve(request.firmware);
  if (statSync(firmware, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new PtdiffError('usage', `${firmware} is no file; --firmware takes a flash image.`);
  }
  const [scenario, ...others] = (
    await Promise.all((request.scenarios.length > 0 ? request.scenarios : ['rme+max']).map(scenariosNamed))
  ).flat();
  if (!scenario || others.length > 0 || request.kernels.length > 1) {
    throw new PtdiffError('usage', '--firmware boots one scenario on one kernel; name one of each.');
  }
  if (scenario.machine.others !== undefined) {
    throw new PtdiffError('usage', `${scenario.name} has CPUs that differ, which only the realm monitor can show.`);
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
    process.stdout.write(summary(boot, findings));
    say(`evidence: ${request.out}`);
    if (findings.length > 0) return exitCodes.findings;
    return boot.recordsFound ? exitCodes.pass : exitCodes.errors;
  });
}

/** The files of a case, as far as there are any. */
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
