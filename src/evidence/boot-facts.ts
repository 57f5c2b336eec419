// SPDX-License-Identifier: GPL-2.0-only
import type { PhysicalRange } from '../linux/physical-range.ts';
import type { CheckpointName, ProtectRequest, SharingRequest, SplitRequest } from './capture.ts';

/**
 * The complete list of what the model cannot derive and takes from the boot instead. Each is an
 * address or an input of the machine, never the state of a linear map entry:
 * - `idRegisters`: what the emulated CPUs are, per CPU, by register name (MIDR_EL1,
 *   ID_AA64MMFR0_EL1, …);
 * - `image`: where the boot loader put the Image, and the KASLR slide;
 * - `memstartAddr`: only on kernels that randomise it (up to 6.15), with KASLR;
 * - `kfencePool`: where memblock put the KFENCE pool; `crashKernel`: where it put the memory for
 *   crashkernel=; `memblockReserved`: what else it had reserved when initcalls ran, as far as
 *   /proc/iomem shows;
 * - `readOnlyVmalloc`: frames that set_memory_ro() made read-only in vmalloc memory (BPF programs,
 *   module text), as far as they are so at a checkpoint: their aliases must follow under
 *   rodata_full. Without a recording: frames that vmalloc mappings map read-only;
 * - `freePages`: with debug_pagealloc, what is free at a checkpoint according to the page
 *   allocator's lists and struct pages, not its tables; `freeAtKpti`: the same when KPTI rewrites
 *   the tables; of a board, which shows neither, what is not valid (inferredFreePages());
 * - `splitRequests`: calls of split_kernel_leaf_mapping() up to a checkpoint; `protectRequests`:
 *   calls of set_memory_ro(), where the resulting split requests were not recorded one by one;
 * - `sharing`: calls of set_memory_decrypted() and set_memory_encrypted() in a realm, and
 *   `ipaBits`, the width of the realm's address space that the monitor gave it; of a board both come
 *   from the tables and prot_ns_shared (inferredSharing());
 *   Of a recorded boot all three come from the operations of its recording (RequestCollector);
 * - `probePages`: frames that the probes' memfd_secret files own.
 */
export interface BootFacts {
  idRegisters: Record<string, bigint>[];
  image: { pa: number; slide: bigint };
  memstartAddr?: bigint;
  kfencePool?: number;
  crashKernel?: number;
  memblockReserved?: PhysicalRange[];
  readOnlyVmalloc: Partial<Record<CheckpointName, PhysicalRange[]>>;
  freePages?: Partial<Record<CheckpointName, PhysicalRange[]>>;
  freeAtKpti?: PhysicalRange[];
  splitRequests: SplitRequest[];
  protectRequests?: ProtectRequest[];
  sharing: SharingRequest[];
  ipaBits?: number;
  probePages: number[];
}

/**
 * prot_ns_shared as a number: the top bit of the realm's address space (arm64_rsi_init(),
 * arch/arm64/kernel/rsi.c); 0 where there is no realm.
 */
export function aliasBitOf({ ipaBits }: { ipaBits?: number | undefined }): number {
  return ipaBits === undefined ? 0 : 2 ** (ipaBits - 1);
}
