// SPDX-License-Identifier: GPL-2.0-only
import type { SharingRequest } from '../../src/evidence/capture.ts';
import { int } from '../../src/linux/arguments.ts';
import { unsignedInteger } from '../../src/linux/variables.ts';
import type { GdbClient } from '../emulator/gdb.ts';
import { withoutPac } from './call-trace.ts';
import type { RunningKernel } from './capture-checkpoint.ts';
import type { BreakpointStop } from './guest-runner.ts';

/**
 * Variables that decide what a request may do, with their size in bytes: kernel/cpu.c, atomic_t;
 * mm/page_alloc.c, bool.
 */
const variables = { __num_online_cpus: 4, page_alloc_available: 1 };

/**
 * Reads a request from a CPU that is stopped at the entry of realm_set_memory_decrypted() or
 * realm_set_memory_encrypted().
 */
export async function readSharingRequest(
  gdb: GdbClient,
  { symbols, slide }: RunningKernel,
  { thread, registers }: BreakpointStop,
): Promise<Pick<SharingRequest, 'start' | 'pages' | 'onlineCpus' | 'pageAllocator' | 'caller'>> {
  const read = async (name: keyof typeof variables) => {
    const address = symbols.address(name);
    return address === undefined
      ? undefined
      : unsignedInteger(await gdb.readMemory(thread, address + slide, variables[name]));
  };
  const pageAllocator = await read('page_alloc_available');
  return {
    start: registers.x0,
    pages: int(registers.x1),
    onlineCpus: Number((await read('__num_online_cpus')) ?? 1n),
    ...(pageAllocator !== undefined && { pageAllocator: pageAllocator !== 0n }),
    caller: symbols.nameAt((await callerOfCaller(gdb, thread)) - slide)?.name ?? 'a module',
  };
}

/**
 * set_memory_decrypted() calls through a table of operations (arch/arm64/mm/mem_encrypt.c); the
 * address of its caller is in its frame record (AAPCS64, 6.4.6), and may be signed.
 */
async function callerOfCaller(gdb: GdbClient, thread: string): Promise<bigint> {
  const { x29, TCR_EL1 } = await gdb.requireRegisters(thread, ['x29', 'TCR_EL1']);
  return withoutPac(unsignedInteger(await gdb.readMemory(thread, x29 + 8n, 8)), TCR_EL1);
}
