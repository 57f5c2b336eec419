// SPDX-License-Identifier: GPL-2.0-only
import type { SymbolTable } from '../../src/linux/symbol-table.ts';
import { fit, plainLine } from '../../src/report/plain-text.ts';
import { readRam } from '../emulator/guest-memory.ts';
import type { RamFile } from '../emulator/ram-file.ts';
import type { VirtualMachine } from '../emulator/virtual-machine.ts';
import { callTrace } from './call-trace.ts';
import type { RunningKernel } from './capture-checkpoint.ts';

/** Longest piece of guest text in a sentence for the user. */
const maximumQuote = 200;

/** The kernel's own wording around a panic (kernel/panic.c). */
const panicLine = /Kernel panic - not syncing: (.*)/;
const endOfPanic = '---[ end Kernel panic';

/** PANIC_CPU_INVALID (include/linux/panic.h): the value of panic_cpu until a CPU panics. */
const noCpu = 0xffffffff;

/**
 * Detects in RAM whether the kernel has begun to panic, without a breakpoint and whatever its
 * console shows: panic() first claims the variable panic_cpu (kernel/panic.c). The Image is in RAM
 * from reset on, with the initial value.
 */
export class PanicWatch {
  readonly #ram: RamFile;
  readonly #address: number | undefined;

  constructor(ram: RamFile, symbols: SymbolTable, imagePa: number) {
    this.#ram = ram;
    const address = symbols.address('panic_cpu');
    this.#address =
      address === undefined ? undefined : imagePa + Number(address - symbols.textBase);
  }

  begun(): boolean {
    return (
      this.#address !== undefined && readRam(this.#ram, this.#address, 4)?.readUInt32LE() !== noCpu
    );
  }
}

/** Whether the console shows that panic() has printed its complete message. */
export function hasFinishedPanic(console: string): boolean {
  return console.includes(endOfPanic);
}

/** The kernel's own words for its panic, as the end of a sentence. */
export function panicMessage(console: string): string | undefined {
  const message = panicLine.exec(console)?.[1];
  return message && quote(message);
}

/** The last line on a console that is not empty, stripped of control characters and bounded. */
export function lastLine(console: string): string {
  const line = console
    .slice(-4096)
    .split('\n')
    .findLast((line) => quote(line) !== '');
  return line === undefined ? '<empty console>' : quote(line);
}

/**
 * What each CPU was doing, and the last console line, as the end of a sentence. CPUs that do the
 * same, such as nothing, are named together.
 */
export async function describeStuck(vm: VirtualMachine, kernel: RunningKernel): Promise<string> {
  const cpus = new Map<string, number[]>();
  for (const [index, thread] of (await vm.gdb.threads()).entries()) {
    const trace = await callTrace(vm.gdb, thread, kernel);
    cpus.set(trace, [...(cpus.get(trace) ?? []), index]);
  }
  const places = [...cpus].map(([trace, indices]) => `CPU ${indices.join('+')} at ${trace}`);
  return `${places.join(', ')}; last console line: ${lastLine(vm.console.text())}`;
}

/** Guest text suitable for a sentence: one line, printable, of limited length. */
export function quote(text: string): string {
  return fit(plainLine(text.slice(0, 4096)).trim(), maximumQuote);
}
