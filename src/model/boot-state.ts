// SPDX-License-Identifier: GPL-2.0-only
import type { PhysicalRange } from '../evidence/boot-facts.ts';
import type { KernelTraits } from '../linux/kernel-traits.ts';
import type { KernelProt } from './arch/arm64/include/asm/pgtable-prot.ts';
import type { Derivation } from './derivation.ts';
import type { LinearMap } from './linear-map.ts';
import type { Decisions, PredictedRsiCall } from './types.ts';

/** Physical addresses of the linker symbols that map_mem() and mark_rodata_ro() use, in bytes. */
export interface ImageSections {
  /** _text, or _stext on older kernels. */
  aliasStart: number;
  initBegin: number;
  initEnd: number;
  bssStop: number;
}

/** The machine's state while it boots: what map_mem() built, and what each later step needs. */
export interface BootState {
  map: LinearMap;
  traits: KernelTraits;
  decisions: Decisions;
  /** What PAGE_KERNEL and its like are now: kpti_install_ng_mappings() changes them. */
  prot: KernelProt;
  sections: ImageSections & { stext: number };
  /** The KFENCE pool once it is one: from map_mem() on where it was taken early. */
  kfencePool?: PhysicalRange;
  /** The pool that kfence_init() sets up; none where the sample interval is 0 by then. */
  poolInUse?: PhysicalRange;
  crashKernel?: PhysicalRange;
  /** With debug_pagealloc, what was free at the checkpoint before. */
  freePages: PhysicalRange[];
  /** With debug_pagealloc, what is free when KPTI rewrites the tables. */
  freeAtKpti: PhysicalRange[];
  /** What a realm has asked of the RMM so far. */
  rsi: PredictedRsiCall[];
  why: Derivation;
}
