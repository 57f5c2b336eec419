// SPDX-License-Identifier: GPL-2.0-only

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { tmpName } from 'tmp-promise';
import type { Monitor } from '../../guest/monitor-firmware.ts';
import { within } from '../../host/deadline.ts';
import { onHost } from '../../host/host-file.ts';
import { timed } from '../../host/timed.ts';
import type { MachineBlobs } from '../../results/case-inputs.ts';
import { messageOf, PtdiffError } from '../../src/errors.ts';
import { sizedRange, sizeOf } from '../../src/linux/physical-range.ts';
import { RAM_BASE } from '../../src/scenario/memory.ts';
import { ConsoleLog } from '../boot/console-log.ts';
import { GdbClient } from './gdb.ts';
import { type QemuMachine, watchedCommand } from './qemu-command.ts';
import { deathNotice, deathOfQemu, QemuProcess, startMilliseconds } from './qemu-process.ts';
import { QmpClient, type QmpEvent } from './qmp.ts';
import { openRam, type RamBank, type RamFile } from './ram-file.ts';
import { type RecorderPlan, recorderOption } from './recorder/plan-recorder.ts';
import { RecordingFile } from './recorder/recording-file.ts';

/** A QEMU that is stopped at reset, and everything that observes it. */
export interface VirtualMachine {
  process: QemuProcess;
  /** Process id of QEMU itself, not of its supervisor. */
  pid: number;
  gdb: GdbClient;
  qmp: QmpClient;
  /** The guest's RAM; in a realm at both of its addresses. */
  ram: RamFile;
  /** The realm monitor, if there is one, and its RAM. */
  monitor?: Monitor & { ram: RamFile };
  console: ConsoleLog;
  /** What happens to the tables, where it is recorded. */
  recording?: RecordingFile;
  /** Events from QEMU up to its last QMP answer, oldest first. */
  events: QmpEvent[];
  /** Ends QEMU and frees everything. */
  stop(): Promise<void>;
}

/** Where and how a machine runs. */
interface MachineOptions {
  /** Where its files are until they lose their names. */
  directory: string;
  signal: AbortSignal;
  recorder?: RecorderPlan | undefined;
}

/**
 * Starts QEMU, stopped at reset. Its RAM file, console file and sockets lose their names as soon as
 * both sides have them open, so nothing is left behind even when the harness is killed.
 *
 * @throws PtdiffError('emulator') when QEMU does not come up
 */
async function startMachine(
  machine: QemuMachine,
  { deviceTree, monitor, deviceData }: MachineBlobs,
  { directory, signal, recorder }: MachineOptions,
): Promise<VirtualMachine> {
  const scratch = await scratchName(directory);
  const at = (name: string) => join(scratch, name);
  const setup: QemuMachine = {
    ...machine,
    ...(deviceTree && { deviceTree: at('dtb') }),
    ...(monitor && { monitor: { ...monitor.places, flash: at('flash') } }),
    ...(deviceData && { deviceData: at('data') }),
  };
  const paths = { ramFile: at('ram'), consoleFile: at('console'), pidFile: at('pid') };
  const sockets = { gdbSocket: at('gdb'), qmpSocket: at('qmp') };
  const record = { events: at('events'), functions: at('functions') };
  // The supervisor, which removes the folder if the harness is killed, must know of it before it
  // exists.
  const process = await QemuProcess.prepare(
    watchedCommand(setup, {
      ...paths,
      ...sockets,
      ...(recorder && { recorder: recorderOption(recorder, record) }),
    }),
    scratch,
  );
  const onAbort = () => void process.stop();
  signal.addEventListener('abort', onAbort, { once: true });
  const opened: { close(): void }[] = [];
  const stop = async () => {
    signal.removeEventListener('abort', onAbort);
    await process.stop();
    for (const each of opened.splice(0)) {
      each.close();
    }
  };
  try {
    signal.throwIfAborted();
    fillScratch(scratch, { dtb: deviceTree, flash: monitor?.flash, data: deviceData });
    const recording = recorder && new RecordingFile(record.events);
    if (recorder && recording) {
      opened.push(recording);
      onHost(record.functions, () => writeFileSync(record.functions, recorder.list.text));
    }
    const gdbDoor = listenOnce(sockets.gdbSocket);
    const qmpDoor = listenOnce(sockets.qmpSocket);
    opened.push(gdbDoor, qmpDoor);
    process.begin();
    const death = process.exited.then((exit) => Promise.reject(deathOfQemu(exit)));
    const events: QmpEvent[] = [];
    const came = <T>(what: Promise<T>) =>
      within(startMilliseconds, 'QEMU did not come up', Promise.race([what, death]));
    const qmp = await came(
      qmpDoor.connection.then((socket) => QmpClient.open(socket, (event) => events.push(event))),
    );
    opened.push(qmp);
    const gdb = await came(gdbDoor.connection.then((socket) => GdbClient.open(socket)));
    opened.push(gdb);
    const ram = openRam(paths.ramFile, guestBanks(machine, monitor));
    opened.push(ram);
    const monitorRam = monitor && openRam(paths.ramFile, [monitorBank(monitor)]);
    opened.push(...(monitorRam ? [monitorRam] : []));
    const console = new ConsoleLog(paths.consoleFile);
    opened.push(console);
    const pid = Number(readFileSync(paths.pidFile, 'latin1'));
    const watched = monitor && monitorRam && { monitor: { ...monitor, ram: monitorRam } };
    const more = { ...watched, ...(recording && { recording }) };
    return { process, pid, gdb, qmp, ram, ...more, console, events, stop };
  } catch (error) {
    const death = await deathNotice(process);
    await stop();
    signal.throwIfAborted();
    throw death ?? error;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * Starts a machine, passes it to `work`, and ends it whatever happens. If QEMU died meanwhile, that
 * is reported instead of the result of `work`.
 * @throws PtdiffError as startMachine() does, and for a QEMU that died; what `work` throws; the
 * signal's reason when it was aborted
 */
export async function withMachine<Result>(
  machine: QemuMachine,
  blobs: MachineBlobs,
  options: MachineOptions,
  work: (vm: VirtualMachine) => Promise<Result>,
): Promise<Result> {
  const { signal } = options;
  const vm = await timed('starting', () => startMachine(machine, blobs, options));
  try {
    return await work(vm);
  } catch (error) {
    signal.throwIfAborted();
    throw (await deathNotice(vm.process)) ?? error;
  } finally {
    await timed('starting', () => vm.stop());
  }
}

/** The same bytes are at a realm's protected address and, while they are shared, at its alias. */
function guestBanks({ machine }: QemuMachine, monitor: Monitor | undefined): RamBank[] {
  const ram = sizedRange(RAM_BASE, machine.memory * 2 ** 20);
  const bank = { ...ram, offset: 0 };
  return monitor?.aliasBit === undefined
    ? [bank]
    : [bank, { ...sizedRange(monitor.aliasBit + ram.start, sizeOf(ram)), offset: 0 }];
}

function monitorBank({ memory }: Monitor): RamBank {
  return { ...memory, offset: memory.start - RAM_BASE };
}

async function scratchName(directory: string): Promise<string> {
  const path = await tmpName({ tmpdir: directory, prefix: 'ptdiff' }).catch((error) => {
    throw new PtdiffError(
      'host',
      `Cannot make a scratch folder in ${directory}: ${messageOf(error)}.`,
    );
  });
  // sockaddr_un holds 108 bytes (unix(7)).
  if (path.length > 90) {
    throw new PtdiffError(
      'host',
      `The scratch folder ${directory} has too long a name for a socket; use a shorter one.`,
    );
  }
  return path;
}

function fillScratch(path: string, blobs: Record<string, Uint8Array | undefined>): void {
  onHost(path, () => {
    mkdirSync(path, { mode: 0o700 });
    for (const [name, blob] of Object.entries(blobs)) {
      if (blob) writeFileSync(join(path, name), blob);
    }
  });
}

/** A listening socket for the one connection that QEMU makes. */
function listenOnce(path: string): { connection: Promise<Socket>; close(): void } {
  const server: Server = createServer();
  const connection = new Promise<Socket>((resolve, reject) => {
    server.once('error', reject);
    server.once('connection', (socket) => {
      server.close();
      resolve(socket);
    });
  });
  // The code that awaits the connection sees the error; if QEMU dies first, nothing awaits it.
  connection.catch(() => {});
  server.listen(path);
  return { connection, close: () => server.close() };
}
