// SPDX-License-Identifier: GPL-2.0-only
import type { Capture } from '../../src/evidence/capture.ts';
import { printkLog, printkRingBytes } from '../../src/linux/printk-ring.ts';
import { readRam } from '../emulator/guest-memory.ts';
import type { VirtualMachine } from '../emulator/virtual-machine.ts';
import type { RunningKernel } from './capture-checkpoint.ts';
import { KernelMemory } from './kernel-memory.ts';

/**
 * What the kernel has logged, from its own memory: before its console driver is up nothing of it is
 * on the console.
 * @param capture of the instant at which the machine stands: memory is read through its tables
 * @returns undefined where the kernel does not show its log, or it cannot be believed
 */
export function readKernelLog(
  vm: Pick<VirtualMachine, 'ram'>,
  { symbols, slide }: Pick<RunningKernel, 'symbols' | 'slide'>,
  { ttbr1 }: Pick<Capture, 'ttbr1'>,
): string | undefined {
  const memory = new KernelMemory(ttbr1.leaves, (pa, bytes) => readRam(vm.ram, pa, bytes));
  // kernel/printk/printk.c: struct printk_ringbuffer *prb.
  const pointer = symbols.address('prb');
  const ring = pointer === undefined ? undefined : memory.read(pointer + slide, 8);
  const bytes = ring && memory.read(ring.readBigUInt64LE(), printkRingBytes);
  return bytes && printkLog(bytes, (address, size) => memory.read(address, size));
}
