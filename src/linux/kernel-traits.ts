// SPDX-License-Identifier: GPL-2.0-only
import type { CpuCapability } from './cpu-capabilities.ts';
import type { Geometry } from './geometry.ts';
import type { KernelConfig } from './kernel-config.ts';
import type { Release } from './release.ts';

/**
 * What one kernel Image is made of, as far as the linear map depends on it. Each that is a rule of
 * the kernel has its row in changes/, with the commit that brought it.
 */
export interface KernelTraits {
  release: Release;
  /** Name of the generation, and whether the kernel is newer than every generation known here. */
  generation: string;
  newerThanKnown: boolean;
  geometry: Geometry;
  config: KernelConfig;
  /**
   * Spelling of rodata=: 'full' is the full protection of vmalloc aliases until 6.17, 'on' since
   * 6.18.
   */
  rodataFullSpelling: 'full' | 'on';
  /**
   * How the linear map uses the BBM capability: not at all, by FEAT_BBM level 2 without aborts, or
   * level 3.
   */
  bbml: 'none' | 'bbml2' | 'bbml3';
  /** Variable linear_map_requires_bbml{2,3}; undefined before 6.18. */
  requiresSymbol: string | undefined;
  /**
   * split_kernel_leaf_mapping() asks linear_map_requires_bbml2 (f12b435de2f2) instead of
   * force_pte_mapping().
   */
  splitAsksRequires: boolean;
  /** is_realm_world() is part of can_set_direct_map(). */
  knowsRealms: boolean;
  /** setup_arch() calls arm64_rsi_init() before paging_init(): map_mem() knows of the realm. */
  rsiBeforePagingInit: boolean;
  /**
   * First byte of the kernel's alias that is mapped apart and made read-only: _text since
   * 5973a62efa34, _stext before.
   */
  aliasStart: '_text' | '_stext';
  /** map_mem() maps the KFENCE pool and the kernel's aliases before all memory. */
  mapsKernelFirst: boolean;
  /** Memory that is mapped over a table keeps the table: a block is not tried there. */
  keepsTables: boolean;
  /** A range with a valid leaf that is not contiguous is not mapped contiguously. */
  keepsSingleLeaves: boolean;
  /** A contiguous leaf may be written again, as long as it stays contiguous. */
  contiguousMayChange: boolean;
  /** update_mapping_prot() may use contiguous leaves. */
  protectsContiguously: boolean;
  /** map_mem() rounds ranges of memory inward to pages of the kernel. */
  mapsWholePagesOnly: boolean;
  /** What mark_rodata_ro() does to the linear alias of [__init_end, __bss_stop). */
  dataAlias: 'writable' | 'readOnly' | 'invalid';
  /** PAGE_KERNEL* carry PTE_DIRTY. */
  kernelDirty: boolean;
  /** set_memory_valid() keeps PTE_PRESENT_INVALID in what it makes invalid. */
  presentInvalid: boolean;
  /** Table descriptors carry the access flag. */
  tableAccessFlag: boolean;
  /** memstart_addr may be randomised together with KASLR. */
  randomLinearMap: boolean;
  /** set_memory_ro() on a part of a vmalloc area changes the alias of the whole area. */
  aliasOfWholeArea: boolean;
  /**
   * What the kernel detects on each CPU by its part: a late CPU may be refused for it. Absent when
   * the Image does not show its tables.
   */
  cpuCapabilities?: CpuCapability[];
  /** Devices of QEMU that the kernel drives without a module, by QEMU's names. */
  builtInDrivers: string[];
}
