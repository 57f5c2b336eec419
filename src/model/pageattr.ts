// SPDX-License-Identifier: GPL-2.0-only
import type { KernelTraits } from '../linux/kernel-traits.ts';
import { PTE_PRESENT_INVALID, PTE_RDONLY, PTE_VALID, PTE_WRITE } from '../linux/pgprot.ts';
import type { KernelProt } from './kernel-prot.ts';
import { type LinearMap, visitLeaves } from './linear-map.ts';

/**
 * Bits to set and to clear; clearing comes first, as some share a bit (PTE_NG and
 * PTE_PRESENT_INVALID).
 */
export interface AttributeChange {
  set: bigint;
  clear: bigint;
}

/** set_memory_ro() as its alias sees it. */
export const readOnlyAlias: AttributeChange = { set: PTE_RDONLY, clear: PTE_WRITE };

/**
 * set_memory_valid(…, 0) and set_direct_map_invalid_noflush(): since 15bfba1ad77f (stable updates
 * carry it) what is made invalid keeps PTE_PRESENT_INVALID, and PTE_PRESENT_VALID_KERNEL, that is
 * PTE_VALID with PTE_MAYBE_NG, is cleared.
 */
export function makeInvalid(traits: KernelTraits, prot: KernelProt): AttributeChange {
  return traits.presentInvalid
    ? { set: PTE_PRESENT_INVALID, clear: PTE_VALID | prot.maybeNg }
    : { set: 0n, clear: PTE_VALID };
}

/**
 * set_memory_valid(…, 1): the way back; up to 15bfba1ad77f it is PTE_VALID alone, which leaves a
 * page global that was invalid when KPTI came.
 */
export function makeValid(traits: KernelTraits, prot: KernelProt): AttributeChange {
  return traits.presentInvalid
    ? { set: PTE_VALID | prot.maybeNg, clear: PTE_PRESENT_INVALID }
    : { set: PTE_VALID, clear: 0n };
}

/**
 * pte_present(): valid, or PTE_PRESENT_INVALID, which a non-global mapping that lost PTE_VALID also
 * looks like.
 */
export function isPresent(attributes: bigint): boolean {
  return (attributes & (PTE_VALID | PTE_PRESENT_INVALID)) !== 0n;
}

/**
 * pmd_leaf() and pud_leaf() as the change code asks them. Until 15bfba1ad77f it asked pmd_sect(),
 * which wants PTE_VALID: a block that was made invalid is then no leaf any more, and no later
 * change reaches it.
 */
function isLeafToKernel(traits: KernelTraits, attributes: bigint): boolean {
  return traits.presentInvalid ? isPresent(attributes) : (attributes & PTE_VALID) !== 0n;
}

/**
 * Why a change of [start, end) is refused: part of a block would have to change (WARN_ON_ONCE,
 * -EINVAL).
 */
export class PartialLeaf extends Error {}

/**
 * update_range_prot() without its split, arch/arm64/mm/pageattr.c: every leaf of [start, end) gets
 * the change; offsets in the linear region. Up to 6.17 apply_to_page_range() does the same for
 * pages and refuses blocks.
 * @throws PartialLeaf where a block is only partly covered, or covered at all up to 6.17
 */
export function changeAttributes(
  map: LinearMap,
  traits: KernelTraits,
  start: number,
  end: number,
  change: AttributeChange,
): void {
  visitLeaves(map, map.root, start, end, (table, index) => {
    const attributes = map.attributes(map.entry(table, index));
    if (table.level !== 3) {
      if (!isLeafToKernel(traits, attributes)) return;
      const size = map.entrySize(table);
      const at = table.offset + index * size;
      const whole = at >= start && at + size <= end;
      if (!whole || traits.bbml === 'none') throw new PartialLeaf('block partly covered');
    }
    table.entries[index] = map.leaf((attributes & ~change.clear) | change.set);
  });
}
