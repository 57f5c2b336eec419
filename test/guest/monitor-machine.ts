// SPDX-License-Identifier: GPL-2.0-only
/**
 * Runs the test guest under the realm monitor: a list of steps in, their results and the monitor's
 * report out.
 */

import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { withDir } from 'tmp-promise';
import { buildMonitor } from '../../guest/build-monitor.ts';
import {
  type MonitorParameters,
  monitorFlash,
  monitorMemorySize,
} from '../../guest/monitor-parameters.ts';
import { packagedEmulator } from '../../images/emulator/emulator.ts';
import { crossToolchain } from '../../images/toolchain/toolchain.ts';
import { decodeReport } from '../../src/evidence/decode-monitor-report.ts';
import type { MonitorReport } from '../../src/evidence/monitor-report.ts';
import { sizedRange } from '../../src/linux/physical-range.ts';
import { given } from '../given.ts';

export const ramBase = 0x40000000;
export const ramSize = 0x4000000;
export const guestBase = 0x40200000;
/** Where the guest lets other CPUs enter. */
export const secondaryEntry = guestBase + 64;
const listBase = 0x40400000;
const stepBytes = 256;
const operations = {
  smc: 1,
  load: 2,
  store: 3,
  wait: 4,
  identity: 5,
  jump: 6,
  hvc: 7,
  until: 8,
} as const;

/**
 * One step: an SMC with x0 to x10, a load from or store to an address, waiting for a word, reading
 * ID registers, a jump, an HVC; or an SMC with x0 to x3, again and again until it answers what
 * follows these.
 */
export type Step = [keyof typeof operations, ...(number | bigint)[]];

interface StepResult {
  /** x0 to x8. */
  x: bigint[];
  /**
   * ESR_EL1 and FAR_EL1 (meaningless without an address) of the exception that the step took; 0 if
   * none.
   */
  esr: bigint;
  far: bigint;
  /** The instruction that took it. */
  instruction: number | undefined;
}

interface MonitorRun {
  results: StepResult[];
  report: MonitorReport | undefined;
  console: string;
  /** Whether the guest came to the end of its list. */
  ended: boolean;
}

interface MonitorMachine
  extends Partial<Omit<MonitorParameters, 'memory' | 'entry' | 'deviceTree'>> {
  /** QEMU's -cpu argument; default `max`. */
  cpu?: string;
  /** Milliseconds; default 60 000. */
  patience?: number;
}

const emulator = await packagedEmulator();
const monitor = await readFile((await buildMonitor()).path);
const guest = await buildGuest();

export async function runMonitor(steps: Step[], machine: MonitorMachine = {}): Promise<MonitorRun> {
  const { cpu = 'max', patience = 60_000, ...rest } = machine;
  const regions = rest.regions ?? [sizedRange(ramBase, ramSize)];
  const end = Math.max(...regions.map(({ end }) => end));
  const memory = sizedRange(end, monitorMemorySize(regions));
  const defaults = { world: 'realm', ipaBits: 40, cpus: 1, uart: 0x9000000 } as const;
  const parameters = {
    ...defaults,
    ...rest,
    regions,
    memory,
    entry: guestBase,
    deviceTree: listBase,
  };
  return withDir(
    async ({ path }) => {
      const file = (name: string) => join(path, name);
      await writeFile(file('flash'), monitorFlash(monitor, parameters));
      await writeFile(file('guest'), guest);
      await writeFile(file('list'), encodeSteps(steps));
      const mebibytes = (memory.end - ramBase) / 2 ** 20;
      const worlds = parameters.rme ? 'secure=on,virtualization=on' : 'virtualization=on';
      const { stderr, exitCode, timedOut } = await execa(
        given(emulator.command[0]),
        [
          ...[
            ...emulator.command.slice(1),
            '-no-user-config',
            '-nodefaults',
            '-display',
            'none',
            '-no-reboot',
          ],
          ...[
            '-machine',
            `virt,gic-version=3,acpi=off,${worlds}`,
            '-cpu',
            parameters.rme ? `${cpu},x-rme=on` : cpu,
          ],
          ...['-smp', String(parameters.cpus), '-m', `${mebibytes}M`, '-bios', file('flash')],
          ...[
            '-object',
            `memory-backend-file,id=ram,mem-path=${file('ram')},size=${mebibytes}M,share=on`,
          ],
          ...['-machine', 'memory-backend=ram', '-serial', `file:${file('console')}`],
          ...['-device', `loader,file=${file('guest')},addr=${guestBase},force-raw=on`],
          ...['-device', `loader,file=${file('list')},addr=${listBase},force-raw=on`],
        ],
        { reject: false, timeout: patience, forceKillAfterDelay: 1000 },
      );
      if (exitCode !== 0 && !timedOut) {
        throw new Error(`QEMU ended with ${exitCode}: ${stderr}`);
      }
      const ram = await open(file('ram'));
      const whole = await ram.readFile().finally(() => ram.close());
      const read = (address: number, bytes: number) =>
        whole.subarray(address - ramBase, address - ramBase + bytes);
      return {
        results: steps.map((_, index) => decodeStep(read(listBase + index * stepBytes, stepBytes))),
        report: decodeReport(read, memory.start),
        ended: !timedOut,
        console: await readFile(file('console'), 'latin1'),
      };
    },
    { unsafeCleanup: true },
  );
}

/** The list ends with a step of zeros, which turns the machine off. */
function encodeSteps(steps: Step[]): Uint8Array {
  const list = new DataView(new ArrayBuffer((steps.length + 1) * stepBytes));
  for (const [index, [operation, ...args]] of steps.entries()) {
    list.setBigUint64(index * stepBytes, BigInt(operations[operation]), true);
    for (const [number, value] of args.entries()) {
      list.setBigUint64(
        index * stepBytes + 8 + 8 * number,
        BigInt.asUintN(64, BigInt(value)),
        true,
      );
    }
  }
  return new Uint8Array(list.buffer);
}

function decodeStep(step: Buffer): StepResult {
  const x = Array.from({ length: 9 }, (_, index) => step.readBigUInt64LE(128 + 8 * index));
  const at = Number(step.readBigUInt64LE(240)) - guestBase;
  const instruction =
    at >= 0 && at < guest.length ? Buffer.from(guest).readUInt32LE(at) : undefined;
  return { x, esr: step.readBigUInt64LE(224), far: step.readBigUInt64LE(232), instruction };
}

async function buildGuest(): Promise<Uint8Array> {
  const source = join(import.meta.dirname, 'monitor-guest');
  const toolchain = await crossToolchain();
  return withDir(
    async ({ path }) => {
      const output = join(path, 'guest');
      const linkerScript = join(source, 'guest.lds');
      await toolchain.compileImage({ sources: [join(source, 'guest.S')], linkerScript, output });
      return readFile(output);
    },
    { unsafeCleanup: true },
  );
}
