// SPDX-License-Identifier: GPL-2.0-only
import { planMonitor } from '../../guest/monitor-firmware.ts';
import { timed } from '../../host/timed.ts';
import type { MachineBlobs } from '../../results/case-inputs.ts';
import { PtdiffError } from '../../src/errors.ts';
import { addUnseen, type Evidence } from '../../src/evidence/capture.ts';
import type { RequestCollector } from '../../src/evidence/recorded-requests.ts';
import { recorderList } from '../../src/linux/recorded-functions.ts';
import { whyNoCommandLine } from '../../src/scenario/command-line.ts';
import { deviceContent } from '../../src/scenario/devices.ts';
import type { LoadPlaces } from '../../src/scenario/load-places.ts';
import { makeDeviceTree, needsDeviceTree } from '../emulator/device-tree.ts';
import type { QemuMachine } from '../emulator/qemu-command.ts';
import { planRecorder, type RecorderPlan } from '../emulator/recorder/plan-recorder.ts';
import { withMachine } from '../emulator/virtual-machine.ts';
import { BootSession } from './boot-session.ts';
import type { CaseSetup } from './case-setup.ts';
import { findAnchor, type ImageAnchor } from './image-anchor.ts';
import { placeFiles } from './place-files.ts';
import { RecordingWitness } from './recording-witness.ts';
import { recordsRequests, requestCollector } from './take-requests.ts';

/**
 * Boots a kernel once and observes it from outside: it is stopped at the checkpoints, and its
 * registers and RAM are read. Whatever the kernel does wrong (panic, hang, early end) is evidence;
 * everything collected before is kept.
 *
 * @throws PtdiffError for what is not the kernel's fault; the signal's reason when it was aborted
 */
export async function boot(setup: CaseSetup): Promise<Evidence> {
  requireCommandLine(setup.commandLine);
  const places = placeFiles(setup);
  const anchor = findAnchor(setup.kernel.imagePath, setup.symbols, places.image);
  const machine: QemuMachine = {
    emulator: setup.emulator.command,
    machine: setup.machine,
    cpu: setup.cpu,
    image: setup.kernel.imagePath,
    initramfs: setup.initramfs,
    commandLine: setup.commandLine,
    ...(setup.seed !== undefined && { seed: setup.seed }),
  };
  const blobs = setup.blobs ?? (await timed('starting', () => makeBlobs(setup, machine, places)));
  setup.onEvent({ kind: 'prepared', machine, ...blobs });
  const { directory, signal } = setup;
  const recorder = recorderOf(setup, anchor, blobs);
  return withMachine(machine, blobs, { directory, signal, recorder }, async (vm) => {
    setup.onEvent({ kind: 'started', pid: vm.pid });
    const recording =
      vm.recording &&
      recorder &&
      new RecordingWitness(
        vm.recording,
        recorder.list,
        vm.ram,
        collectorOf(setup, anchor, recorder.list),
      );
    const evidence = await new BootSession(setup, vm, anchor, recording).observe();
    if (setup.recorderLibrary !== undefined && recorder === undefined)
      addUnseen(evidence, [{ what: 'recording', why: 'it has no symbol _end' }]);
    return evidence;
  });
}

/** Where the recording has all requests, so that no stop is needed for them. */
function collectorOf(
  { requestsByBreakpoints, symbols, granule, machine }: CaseSetup,
  { imagePa }: ImageAnchor,
  { functions }: RecorderPlan['list'],
): RequestCollector | undefined {
  return requestsByBreakpoints !== true && recordsRequests(functions, symbols, machine.world)
    ? requestCollector(symbols, granule, imagePa)
    : undefined;
}

function recorderOf(
  { recorderLibrary, symbols, machine }: CaseSetup,
  anchor: ImageAnchor,
  { monitor }: MachineBlobs,
): RecorderPlan | undefined {
  if (recorderLibrary === undefined) return undefined;
  const kernel = { symbols, anchor };
  const list = recorderList(symbols);
  return planRecorder(recorderLibrary, list, kernel, machine.memory, monitor?.memory);
}

/**
 * @throws PtdiffError('usage') for a command line that the kernel would cut short: its behaviour
 * would prove nothing
 */
export function requireCommandLine(text: string): void {
  const reason = whyNoCommandLine(text);
  if (reason !== undefined) throw new PtdiffError('usage', `The case cannot be booted: ${reason}.`);
}

async function makeBlobs(
  setup: CaseSetup,
  machine: QemuMachine,
  places: LoadPlaces,
): Promise<MachineBlobs> {
  const deviceTree = needsDeviceTree(machine)
    ? await makeDeviceTree(machine, places, setup.directory, setup.signal)
    : undefined;
  const common = {
    ...(deviceTree && { deviceTree }),
    ...(setup.machine.devices && { deviceData: deviceContent() }),
  };
  if (setup.machine.firmware === undefined || deviceTree === undefined) {
    return common;
  }
  if (setup.monitor === undefined) {
    throw new PtdiffError(
      'harness',
      `The machine needs the firmware ${setup.machine.firmware}, but there is no monitor.`,
    );
  }
  return { ...common, monitor: planMonitor(setup.machine, setup.monitor, places) };
}
