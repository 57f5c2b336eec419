// SPDX-License-Identifier: GPL-2.0-only

import type { CheckpointName } from '../evidence/capture.ts';
import type { KernelTraits } from '../linux/kernel-traits.ts';
import type { PhysicalRange } from '../linux/physical-range.ts';
import type { KernelProt } from './arch/arm64/include/asm/pgtable-prot.ts';
import type { MemblockOutcome } from './arch/arm64/mm/init.ts';
import type { CpuOutcome } from './cpu-outcome.ts';
import type { Derivation } from './derivation.ts';
import type { LinearMap } from './linear-map.ts';
import type { Question } from './question.ts';
import type { Decisions, PredictedRsiCall } from './types.ts';

/** ID registers of one CPU by name. */
export type IdRegisters = Record<string, bigint>;

/** Physical addresses of the linker symbols that map_mem() and mark_rodata_ro() use, in bytes. */
export interface ImageSections {
  /** _text, or _stext on older kernels. */
  aliasStart: number;
  stext: number;
  initBegin: number;
  initEnd: number;
  bssStop: number;
}

/** What the kernel's decision functions read, at the current step of the boot. */
export interface Kernel {
  traits: KernelTraits;
  /** ID registers of each CPU that the boot brings up, boot CPU first. */
  idRegisters: readonly IdRegisters[];
  /** Kernel parameters in order, e.g. 'rodata=off'. */
  parameters: readonly string[];
  kaslr: boolean;
  /** World of the machine; the kernel does not know it before arm64_rsi_init() has run. */
  world: 'normal' | 'realm';
  /** The kernel's variables and capabilities: each is false until its step of the boot sets it. */
  decisions: Decisions;
  why: Derivation;
}

/**
 * The state of the machine during its boot: what map_mem() built, and what each later step needs.
 */
export interface BootState extends Kernel {
  question: Question;
  /** The next checkpoint. */
  next: CheckpointName;
  map: LinearMap;
  /** The current value of PAGE_KERNEL and the like; kpti_install_ng_mappings() changes them. */
  prot: KernelProt;
  memblock: MemblockOutcome;
  sections: ImageSections;
  /** The KFENCE pool once it exists: from map_mem() on, if it was allocated early. */
  kfencePool?: PhysicalRange;
  crashKernel?: PhysicalRange | undefined;
  /** With debug_pagealloc, what was free at the previous checkpoint. */
  freePages: readonly PhysicalRange[];
  /** What a realm has requested from the RMM so far. */
  rsi: PredictedRsiCall[];
  /** Which CPUs are online by now, and what became of the others. */
  cpus: CpuOutcome;
}

/**
 * One step of the boot: its decision, which needs only the kernel's variables, and then its effect
 * on memory.
 */
export interface Step {
  decides?: (kernel: Kernel) => void;
  does?: (state: BootState) => void;
}

/** Steps of the boot in order, with the checkpoints between them. */
export type BootOrder = readonly (Step | CheckpointName)[];
