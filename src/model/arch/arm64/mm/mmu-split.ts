// SPDX-License-Identifier: GPL-2.0-only
import type { SharingRequest } from '../../../../evidence/capture.ts';
import { _PAGE_END, vaBitsMin } from '../../../../linux/kernel-layout.ts';
import type { KernelTraits } from '../../../../linux/kernel-traits.ts';
import {
  PTE_CONT,
  PTE_PRESENT_INVALID,
  PTE_PXN,
  PTE_TYPE_PAGE,
  PTE_VALID,
} from '../../../../linux/pgprot.ts';
import type { BootState, Kernel } from '../../../boot-state.ts';
import { type LinearMap, TABLE, type Table, visitLeaves } from '../../../linear-map.ts';
import type { Decisions } from '../../../types.ts';
import { arm64_kfence_can_set_direct_map } from '../include/asm/kfence.ts';
import { pte_present } from '../include/asm/pgtable.ts';
import { tableDescriptor } from './mmu-create.ts';

/*
 * arch/arm64/mm/mmu.c from split_contpte() to linear_map_maybe_split_to_ptes(): how leaves become
 * smaller ones.
 */

const MMU = 'arch/arm64/mm/mmu.c';

const EBUSY = 16;

/**
 * Clears PTE_CONT in the group of `size` bytes that holds entry `index`: split_contpte() and
 * split_contpmd(), which are called where pte_cont() or pmd_cont() holds for that entry.
 */
function splitContiguous(map: LinearMap, table: Table, index: number, size: number): void {
  const asked = map.entry(table, index);
  if (!map.isLeaf(asked) || (map.attributes(asked) & PTE_CONT) === 0n) return;
  const count = size / table.entrySize;
  const first = index - (index % count);
  for (let i = first; i < first + count; i++) {
    const entry = map.entry(table, i);
    if (map.isLeaf(entry)) table.set(i, map.leaf(map.attributes(entry) & ~PTE_CONT));
  }
}

/**
 * split_pmd() and split_pud(): a block becomes a table of the next smaller leaves, contiguous if
 * `toCont`. A block that is present but not valid keeps PTE_PRESENT_INVALID (pte_mkinvalid()) where
 * the kernel knows that state.
 */
function splitBlock(
  map: LinearMap,
  traits: KernelTraits,
  parent: Table,
  index: number,
  toCont: boolean,
): Table {
  const block = map.attributes(map.entry(parent, index));
  const table = map.newTable(parent, index, tableDescriptor(traits, (block & PTE_PXN) !== 0n));
  let leaf = table.level === 3 ? block | PTE_TYPE_PAGE : block | PTE_VALID;
  if (!(block & PTE_VALID) && traits.presentInvalid)
    leaf = (leaf & ~PTE_VALID) | PTE_PRESENT_INVALID;
  leaf &= ~PTE_CONT;
  table.fill(map.leaf(toCont ? leaf | PTE_CONT : leaf));
  // Only then: the block is live.
  map.link(parent, index, table);
  return table;
}

/**
 * Table of level 2 or 3 that translates an address, after splitting a block above it; undefined
 * where nothing is mapped.
 */
function descend(
  map: LinearMap,
  traits: KernelTraits,
  parent: Table,
  index: number,
): Table | undefined {
  const entry = map.entry(parent, index);
  if (entry === TABLE) return parent.tables.get(index);
  // A block that lost PTE_VALID without PTE_PRESENT_INVALID is not present for the kernel: there is
  // nothing to split.
  if (!map.isLeaf(entry) || !pte_present(map.attributes(entry))) return undefined;
  return splitBlock(map, traits, parent, index, true);
}

/**
 * Table of PMDs that covers `offset`, after splitting a level 1 block; with two levels it is the
 * root.
 */
function pmdTable(map: LinearMap, traits: KernelTraits, offset: number): Table | undefined {
  let table: Table | undefined = map.root;
  while (table && table.level < 1) table = table.tables.get(map.index(table, offset));
  return table?.level === 1 ? descend(map, traits, table, map.index(table, offset)) : table;
}

/**
 * split_kernel_leaf_mapping_locked() of arch/arm64/mm/mmu.c: makes `offset` a leaf boundary, from
 * PUD to contiguous PMD, PMD, contiguous PTE and PTE, only as far as its alignment requires.
 */
export function split_kernel_leaf_mapping_locked(
  map: LinearMap,
  traits: KernelTraits,
  offset: number,
): void {
  const { PUD_SIZE, CONT_PMD_SIZE, PMD_SIZE, CONT_PTE_SIZE } = map.geometry;
  if (offset % PUD_SIZE === 0) return;
  const pmd = pmdTable(map, traits, offset);
  if (!pmd || offset % CONT_PMD_SIZE === 0) return;
  const index = map.index(pmd, offset);
  splitContiguous(map, pmd, index, CONT_PMD_SIZE);
  if (offset % PMD_SIZE === 0) return;
  const pte = descend(map, traits, pmd, index);
  if (!pte || offset % CONT_PTE_SIZE === 0) return;
  splitContiguous(map, pte, map.index(pte, offset), CONT_PTE_SIZE);
}

/** __ffs(a) < __ffs(b) of two ends of a page, which differ: `a` is less aligned. */
function lessAligned(a: number, b: number): boolean {
  let size = 2;
  while (b % size === 0) size *= 2;
  return a % size !== 0;
}

/**
 * force_pte_mapping(), since a166563e7ec3 (6.18): whether the linear map must be made of pages.
 * Until the capabilities are final, only the boot CPU counts. Up to 6.17, which checks no CPU, this
 * is can_set_direct_map(), as in that map_mem().
 */
export function force_pte_mapping(kernel: Kernel, capabilitiesFinal = false): boolean {
  const { decisions } = kernel;
  const bbml = capabilitiesFinal ? decisions.systemBbml : decisions.bootCpuBbml;
  if (decisions.debugPagealloc) return true;
  if (bbml) return false;
  return decisions.rodataFull || arm64_kfence_can_set_direct_map(kernel) || decisions.realm;
}

/** The state of the boot that split_kernel_leaf_mapping() checks. */
export type SplitTime = Pick<SharingRequest, 'capabilitiesFinal' | 'onlineCpus' | 'pageAllocator'>;

/** Once smp_cpus_done() has made the capabilities final, nothing else matters. */
export const whenFinal: SplitTime = { capabilitiesFinal: true, onlineCpus: 1 };

/** What split_kernel_leaf_mapping() reads besides. */
type SplitState = Kernel & Pick<BootState, 'map' | 'kfencePool'>;

/** It may split, has nothing to do and returns 0, or refuses with -EBUSY. */
type SplitAnswer = 'split' | 'nothing' | 'busy';

/**
 * What split_kernel_leaf_mapping() checks before it splits anything. Until the capabilities are
 * final, system_supports_bbml*() is false. Up to 6.19 (split_leaf_mapping_possible()) nothing is
 * split until then; since f12b435de2f2 the boot CPU may split while it is the only CPU online and
 * the page allocator is up.
 */
export function split_leaf_mapping_possible(kernel: Kernel, time: SplitTime): SplitAnswer {
  const { traits, decisions } = kernel;
  // system_supports_bbml*(): false until setup_system_capabilities() has run.
  const supported = decisions.systemBbml;
  if (!traits.splitAsksRequires)
    return supported && !force_pte_mapping(kernel, true) ? 'split' : 'nothing';
  if (!decisions.linearMapRequiresBbml) return 'nothing';
  if (supported) return 'split';
  if (time.capabilitiesFinal) return 'nothing';
  return time.pageAllocator === false || time.onlineCpus > 1 ? 'busy' : 'split';
}

/**
 * split_kernel_leaf_mapping(start, end): makes both ends leaf boundaries; for a single page, it
 * splits only at the less aligned of the two ends. Virtual addresses of TTBR1, page-aligned; those
 * in the KFENCE pool change nothing.
 * @returns 0, or -EBUSY where the kernel warns and refuses
 */
export function split_kernel_leaf_mapping(
  state: SplitState,
  start: bigint,
  end: bigint,
  time: SplitTime = whenFinal,
): number {
  const { map, traits, kfencePool } = state;
  const [first, last] = [map.offsetOfVa(start), map.offsetOfVa(end)];
  const pa = map.physBase + first;
  // is_kfence_address() is asked before anything warns: objects are freed while CPUs start.
  if (kfencePool && pa >= kfencePool.start && pa < kfencePool.end) return 0;
  const answer = split_leaf_mapping_possible(state, time);
  if (answer === 'busy') return -EBUSY;
  if (answer === 'nothing') return 0;
  if (last - first === map.geometry.granule) {
    split_kernel_leaf_mapping_locked(map, traits, lessAligned(first, last) ? first : last);
  } else {
    split_kernel_leaf_mapping_locked(map, traits, first);
    split_kernel_leaf_mapping_locked(map, traits, last);
  }
  return 0;
}

/**
 * range_split_to_ptes(): every leaf that overlaps [start, end) becomes pages, without contiguous
 * bits.
 */
export function range_split_to_ptes(
  map: LinearMap,
  traits: KernelTraits,
  start: number,
  end: number,
): void {
  const { CONT_PTE_SIZE, CONT_PMD_SIZE } = map.geometry;
  const split = (table: Table, index: number): void => {
    // pmd_leaf() and pud_leaf() do not see a block that lost PTE_VALID without PTE_PRESENT_INVALID:
    // it stays as it is.
    const attributes = map.attributes(map.entry(table, index));
    if (table.level !== 3 && !pte_present(attributes)) return;
    splitContiguous(map, table, index, table.level === 3 ? CONT_PTE_SIZE : CONT_PMD_SIZE);
    if (table.level === 3) return;
    const below = splitBlock(map, traits, table, index, false);
    if (below.level !== 3) visitLeaves(below, start, end, split);
  };
  visitLeaves(map.root, start, end, split);
}

/**
 * Whether linear_map_maybe_split_to_ptes() has work to do: the boot CPU made large leaves that
 * another CPU cannot split later.
 */
export function repaints({ linearMapRequiresBbml, systemBbml }: Decisions): boolean {
  return linearMapRequiresBbml === true && !systemBbml;
}

/** linear_map_split_to_ptes(), as the boot CPU runs it, up to PAGE_END. */
export function linear_map_split_to_ptes({
  map,
  traits,
  sections,
}: Pick<BootState, 'map' | 'traits' | 'sections'>): void {
  const end = Number(_PAGE_END(vaBitsMin(traits.config.vaBits, traits.geometry)) - map.start);
  range_split_to_ptes(map, traits, 0, map.offsetOfPa(sections.stext));
  range_split_to_ptes(map, traits, map.offsetOfPa(sections.initBegin), end);
  map.flush(0, end);
}

/**
 * linear_map_maybe_split_to_ptes(): CPUs differ, so the boot CPU repaints everything except the
 * alias of [_stext, __init_begin).
 */
export function linear_map_maybe_split_to_ptes(state: BootState): void {
  const { decisions, why } = state;
  if (!repaints(decisions)) return;
  linear_map_split_to_ptes(state);
  why(
    'linear_map_maybe_split_to_ptes()',
    MMU,
    'a secondary CPU lacks the capability: repainted to pages',
  );
}
