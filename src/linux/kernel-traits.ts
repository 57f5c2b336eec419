// SPDX-License-Identifier: GPL-2.0-only
import type { CpuCapability, MidrRange } from './cpu-capabilities.ts';
import type { Geometry } from './geometry.ts';
import type { KernelConfig } from './kernel-config.ts';
import type { Release } from './release.ts';

/**
 * Everything about one kernel Image that the linear map depends on. Each trait that is a rule of
 * the kernel has a row in changes/, with the commit that introduced it.
 */
export interface KernelTraits {
  release: Release;
  /** Name of the generation, and whether the kernel is newer than every generation known here. */
  generation: string;
  newerThanKnown: boolean;
  geometry: Geometry;
  config: KernelConfig;
  /**
   * Which value of rodata= also protects the vmalloc aliases: 'full' until 6.17, 'on' since 6.18.
   */
  rodataFullSpelling: 'full' | 'on';
  /**
   * The BBM capability that the linear map uses: none, FEAT_BBM level 2 without aborts, or level 3.
   */
  bbml: 'none' | 'bbml2' | 'bbml3';
  /** Variable linear_map_requires_bbml{2,3}; undefined before 6.18. */
  requiresSymbol: string | undefined;
  /**
   * split_kernel_leaf_mapping() checks linear_map_requires_bbml2 (f12b435de2f2) instead of
   * force_pte_mapping().
   */
  splitAsksRequires: boolean;
  /** is_realm_world() is part of can_set_direct_map(). */
  knowsRealms: boolean;
  /**
   * setup_arch() calls arm64_rsi_init() before paging_init(), so map_mem() knows that it runs in a
   * realm.
   */
  rsiBeforePagingInit: boolean;
  /**
   * First byte of the kernel's alias that is mapped separately and made read-only: _text since
   * 5973a62efa34, _stext before.
   */
  aliasStart: '_text' | '_stext';
  /** map_mem() maps the KFENCE pool and the kernel's aliases before all memory. */
  mapsKernelFirst: boolean;
  /** Mapping memory over an existing table keeps the table: no block is tried there. */
  keepsTables: boolean;
  /** A range with a valid leaf that is not contiguous does not become contiguous. */
  keepsSingleLeaves: boolean;
  /** A contiguous leaf may be rewritten, as long as it stays contiguous. */
  contiguousMayChange: boolean;
  /** update_mapping_prot() may use contiguous leaves. */
  protectsContiguously: boolean;
  /** map_mem() rounds ranges of memory inward to kernel pages. */
  mapsWholePagesOnly: boolean;
  /** What mark_rodata_ro() does to the linear alias of [__init_end, __bss_stop). */
  dataAlias: 'writable' | 'readOnly' | 'invalid';
  /** PAGE_KERNEL* carry PTE_DIRTY. */
  kernelDirty: boolean;
  /** set_memory_valid() sets PTE_PRESENT_INVALID where it makes memory invalid. */
  presentInvalid: boolean;
  /** Table descriptors carry the access flag. */
  tableAccessFlag: boolean;
  /** memstart_addr may be randomised together with KASLR. */
  randomLinearMap: boolean;
  /** set_memory_ro() on part of a vmalloc area changes the alias of the whole area. */
  aliasOfWholeArea: boolean;
  /**
   * What the kernel detects on each CPU by its part; a late CPU may be refused because of it.
   * Absent when the Image does not show the tables.
   */
  cpuCapabilities?: CpuCapability[];
  /** CPUs on which the kernel does not enable dirty state management. */
  brokenDbm: readonly MidrRange[];
  /** Devices of QEMU that the kernel drives without a module, by QEMU's names. */
  builtInDrivers: string[];
}
