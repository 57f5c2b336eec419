// SPDX-License-Identifier: GPL-2.0-only

import { runsIn } from '../../src/diff/runs.ts';
import type { Capture, CheckpointName } from '../../src/evidence/capture.ts';
import {
  type MemblockRegion,
  memblockArray,
  memblockBytes,
  memblockRegionBytes,
  memblockRegions,
} from '../../src/linux/memblock.ts';
import { type PhysicalRange, sizedRange } from '../../src/linux/physical-range.ts';
import type { SymbolTable } from '../../src/linux/symbol-table.ts';
import {
  capturedVariables,
  maximumBitmapBytes,
  unsignedInteger,
} from '../../src/linux/variables.ts';
import { first, present } from '../../src/present.ts';
import { stage1Regime } from '../../src/vmsa/regime.ts';
import type { SystemRegisters } from '../../src/vmsa/types.ts';
import { walk } from '../../src/vmsa/walk.ts';
import type { GdbClient } from '../emulator/gdb.ts';
import { readRam } from '../emulator/guest-memory.ts';
import type { VirtualMachine } from '../emulator/virtual-machine.ts';
import { readFreePages } from './free-pages.ts';
import { KernelMemory } from './kernel-memory.ts';
import { viewOfMonitor } from './monitor-witness.ts';

const requiredRegisters = ['TTBR0_EL1', 'TTBR1_EL1', 'TCR_EL1', 'MAIR_EL1', 'SCTLR_EL1'] as const;
const optionalRegisters = ['TCR2_EL1', 'MAIR2_EL1', 'PIR_EL1', 'PIRE0_EL1', 'VBAR_EL1'] as const;

/** Registers that describe the CPUs; newer versions of QEMU show more of them. */
const idRegisterNames = ['PFR0', 'PFR1', 'MMFR0', 'MMFR1', 'MMFR2', 'MMFR3'].map(
  (name) => `ID_AA64${name}_EL1`,
);

/** ID registers of every CPU; a register that the emulator does not show is absent. */
export async function readIdRegisters(gdb: GdbClient): Promise<Record<string, bigint>[]> {
  const cpus: Record<string, bigint>[] = [];
  for (const thread of await gdb.threads()) {
    cpus.push(await gdb.readRegisters(thread, idRegisterNames));
  }
  return cpus;
}

/** A running kernel: its link-time symbols and how far KASLR moved it. */
export interface RunningKernel {
  symbols: SymbolTable;
  /** Bytes from link address to run address. */
  slide: bigint;
  /** Address of the array of struct page, the page allocator's data. */
  vmemmap: bigint;
}

/**
 * Reads everything that belongs to a checkpoint from a stopped machine; `thread` is the CPU that
 * reached it.
 */
export async function captureCheckpoint(
  vm: VirtualMachine,
  kernel: RunningKernel,
  checkpoint: CheckpointName,
  thread: string,
): Promise<Capture> {
  const threads = await vm.gdb.threads();
  const cpus: Capture['cpus'] = [];
  for (const each of threads) {
    cpus.push(await readCpu(vm.gdb, each));
  }
  const regime = stage1Regime(first(cpus).registers, 'ttbr1');
  const ttbr1 = walk(regime, vm.ram);
  const memory = new KernelMemory(ttbr1.leaves, (pa, bytes) => readRam(vm.ram, pa, bytes));
  const reader = {
    read: (name: string, bytes: number) => readVariable(kernel, memory, checkpoint, name, bytes),
  };
  const memblock = readMemblock(reader, memory);
  const variables = readVariables(kernel, reader);
  const told = variables._debug_pagealloc_enabled_early === 1n && checkpoint !== 'paging_init';
  const freePages = told
    ? readFreePages({ memblock, variables }, memory, kernel.vmemmap, regime.granule, vm.ram.size)
    : undefined;
  return {
    checkpoint,
    cpus: onlineOnly(cpus, variables.__cpu_online_mask),
    ttbr1,
    ...(checkpoint === 'init' && {
      ttbr0: walkUser(vm, present(cpus[threads.indexOf(thread)], 'CPU that stopped').registers),
    }),
    variables,
    ...(memblock && { memblock }),
    ...(freePages && { freePages }),
    ...(vm.monitor && { monitor: viewOfMonitor(vm.monitor) }),
  };
}

/** Translation registers of one CPU. */
export async function captureRegisters(gdb: GdbClient, thread: string): Promise<SystemRegisters> {
  return gdb.requireRegisters(thread, requiredRegisters, optionalRegisters);
}

async function readCpu(gdb: GdbClient, thread: string): Promise<Capture['cpus'][number]> {
  const registers = await captureRegisters(gdb, thread);
  // A CPU that was never started has its MMU off (SCTLR_EL1.M).
  return { online: (registers.SCTLR_EL1 & 1n) === 1n, registers };
}

/** Physical ranges to which `pages` pages from a kernel virtual address on are mapped, in order. */
export async function mappedFrames(
  vm: VirtualMachine,
  thread: string,
  address: bigint,
  pages: number,
): Promise<PhysicalRange[]> {
  const regime = stage1Regime(await captureRegisters(vm.gdb, thread), 'ttbr1');
  const end = address + BigInt(pages * regime.granule);
  const mapped = runsIn(walk(regime, vm.ram).leaves, address, end);
  return mapped.map(({ pa, size }) => sizedRange(pa, size));
}

/**
 * A CPU that the kernel switched off keeps its registers, MMU included: only the kernel's mask
 * shows that it is offline.
 */
function onlineOnly(cpus: Capture['cpus'], mask: bigint | undefined): Capture['cpus'] {
  if (mask === undefined) return cpus;
  return cpus.map((cpu, index) => ({
    ...cpu,
    online: cpu.online && ((mask >> BigInt(index)) & 1n) === 1n,
  }));
}

function walkUser(vm: VirtualMachine, registers: SystemRegisters): Capture['ttbr0'] {
  return walk(stage1Regime(registers, 'ttbr0'), vm.ram);
}

interface VariableReader {
  read(name: string, bytes: number): Buffer | undefined;
}

/**
 * Undefined for a symbol that the kernel does not have, or whose memory free_initmem() has freed.
 */
function readVariable(
  { symbols, slide }: RunningKernel,
  memory: KernelMemory,
  checkpoint: CheckpointName,
  name: string,
  bytes: number,
): Buffer | undefined {
  const address = symbols.address(name);
  if (
    address === undefined ||
    (checkpoint === 'init' && symbols.isBetween(address, '__init_begin', '__init_end'))
  ) {
    return undefined;
  }
  return memory.read(address + slide, bytes);
}

function readVariables({ symbols }: RunningKernel, reader: VariableReader): Record<string, bigint> {
  const variables: Record<string, bigint> = {};
  for (const [name, bytes] of Object.entries(capturedVariables)) {
    const size = bytes || Math.min(Number(symbols.size(name) ?? 0n), maximumBitmapBytes);
    const value = reader.read(name, size);
    if (value) {
      variables[name] = unsignedInteger(value);
    }
  }
  return variables;
}

function readMemblock(reader: VariableReader, memory: KernelMemory): MemblockRegion[] | undefined {
  const header = reader.read('memblock', memblockBytes);
  const array = header && memblockArray(header, 'memory');
  const bytes = array && memory.read(array.address, array.count * memblockRegionBytes);
  return bytes && memblockRegions(bytes);
}
