// SPDX-License-Identifier: GPL-2.0-only

import type { SharingRequest } from '../../../../evidence/capture.ts';
import type { KernelTraits } from '../../../../linux/kernel-traits.ts';
import { PTE_PRESENT_INVALID, PTE_RDONLY, PTE_VALID, PTE_WRITE } from '../../../../linux/pgprot.ts';
import type { PhysicalRange } from '../../../../linux/physical-range.ts';
import type { BootState, Kernel } from '../../../boot-state.ts';
import {
  type LinearMap,
  onceForNeighbours,
  PROT_NS_SHARED,
  visitLeaves,
} from '../../../linear-map.ts';
import { arm64_kfence_can_set_direct_map } from '../include/asm/kfence.ts';
import { pmd_leaf } from '../include/asm/pgtable.ts';
import type { KernelProt } from '../include/asm/pgtable-prot.ts';
import { rsi_set_memory_range_protected, rsi_set_memory_range_shared } from '../include/asm/rsi.ts';
import { type SplitTime, split_kernel_leaf_mapping, whenFinal } from './mmu-split.ts';

const PAGEATTR = 'arch/arm64/mm/pageattr.c';
const MMU = 'arch/arm64/mm/mmu.c';

/**
 * Bits to set and to clear; clearing comes first, since some share a bit (PTE_NG and
 * PTE_PRESENT_INVALID).
 */
export interface AttributeChange {
  set: bigint;
  clear: bigint;
}

/** The effect of set_memory_ro() on the alias. */
export const readOnlyAlias: AttributeChange = { set: PTE_RDONLY, clear: PTE_WRITE };

/**
 * set_memory_valid(…, 0) and set_direct_map_invalid_noflush(). Since 15bfba1ad77f (and in stable
 * updates) they set PTE_PRESENT_INVALID and clear PTE_PRESENT_VALID_KERNEL, which is PTE_VALID with
 * PTE_MAYBE_NG.
 */
export function makeInvalid(traits: KernelTraits, prot: KernelProt): AttributeChange {
  return traits.presentInvalid
    ? { set: PTE_PRESENT_INVALID, clear: PTE_VALID | prot.maybeNg }
    : { set: 0n, clear: PTE_VALID };
}

/**
 * set_memory_valid(…, 1), the reverse. Before 15bfba1ad77f it sets PTE_VALID alone, so that a page
 * stays global if it was invalid when KPTI rewrote the tables.
 */
export function makeValid(traits: KernelTraits, prot: KernelProt): AttributeChange {
  return traits.presentInvalid
    ? { set: PTE_VALID | prot.maybeNg, clear: PTE_PRESENT_INVALID }
    : { set: PTE_VALID, clear: 0n };
}

/** Why the kernel refuses a change of [start, end), with a warning (WARN_ON_ONCE()). */
export class Refusal extends Error {
  readonly errno: 'EBUSY' | 'EINVAL';

  constructor(errno: Refusal['errno'], message: string) {
    super(message);
    this.errno = errno;
  }
}

/**
 * update_range_prot() without its split, arch/arm64/mm/pageattr.c: every leaf of [start, end) gets
 * the change; offsets in the linear region. Up to 6.17 apply_to_page_range() does the same for
 * pages and refuses blocks.
 * @throws Refusal for a block that is only partly covered; up to 6.17 for any block
 */
export function changeAttributes(
  map: LinearMap,
  traits: KernelTraits,
  start: number,
  end: number,
  change: AttributeChange,
): void {
  const changed = onceForNeighbours((leaf) =>
    map.leaf((map.attributes(leaf) & ~change.clear) | change.set),
  );
  visitLeaves(map.root, start, end, (table, index) => {
    const entry = map.entry(table, index);
    if (table.level !== 3) {
      if (!pmd_leaf(traits, map.attributes(entry))) return;
      const size = table.entrySize;
      const at = table.offset + index * size;
      const whole = at >= start && at + size <= end;
      if (!whole || traits.bbml === 'none') throw new Refusal('EINVAL', 'block partly covered');
    }
    table.set(index, changed(entry));
  });
}

/** can_set_direct_map(): whether the linear map must support changes page by page. */
export function can_set_direct_map(kernel: Kernel): boolean {
  const { decisions } = kernel;
  return (
    decisions.rodataFull ||
    decisions.debugPagealloc ||
    arm64_kfence_can_set_direct_map(kernel) ||
    decisions.realm
  );
}

/**
 * update_range_prot() on [start, end), offsets in the linear region: leaves across the range's ends
 * are split where the kernel may do so, then every leaf changes.
 * @throws Refusal where the kernel refuses
 */
export function update_range_prot(
  state: BootState,
  start: number,
  end: number,
  change: AttributeChange,
  time: SplitTime = whenFinal,
): void {
  const { map, traits } = state;
  const va = (offset: number): bigint => map.start + BigInt(offset);
  if (split_kernel_leaf_mapping(state, va(start), va(end), time) !== 0)
    throw new Refusal('EBUSY', 'no leaf may be split before the capabilities are final');
  changeAttributes(map, traits, start, end, change);
}

/** One page of the linear map, by its physical address; a change of part of a block is refused. */
function updatePage(state: BootState, pa: number, change: AttributeChange): void {
  const { map } = state;
  const offset = map.offsetOfPa(pa);
  try {
    update_range_prot(state, offset, offset + map.geometry.granule, change);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    state.why(
      'pageattr_pmd_entry()',
      PAGEATTR,
      `WARN and -EINVAL at 0x${pa.toString(16)}: ${error.message}`,
    );
  }
}

/**
 * Under rodata_full, set_memory_ro() requests a split at every page of the alias
 * (change_memory_common()), even if the memory is freed later.
 */
export function splitForProtection(state: BootState, frames: readonly PhysicalRange[]): void {
  const { map, decisions } = state;
  if (!decisions.rodataFull) return;
  const { granule } = map.geometry;
  for (const { start, end } of frames) {
    for (let offset = map.offsetOfPa(start); offset < map.offsetOfPa(end); offset += granule) {
      const va = map.start + BigInt(offset);
      split_kernel_leaf_mapping(state, va, va + BigInt(granule));
    }
  }
}

/**
 * set_memory_ro() on vmalloc memory: with rodata_full its linear alias changes as well, page by
 * page.
 */
export function protectVmallocAliases(state: BootState, frames: readonly PhysicalRange[]): void {
  const { map, decisions, why } = state;
  if (!decisions.rodataFull || frames.length === 0) return;
  for (const { start, end } of frames) {
    for (let at = start; at < end; at += map.geometry.granule) {
      updatePage(state, at, readOnlyAlias);
    }
  }
  const pages = frames.reduce(
    (sum, { start, end }) => sum + (end - start) / map.geometry.granule,
    0,
  );
  why(
    'change_memory_common()',
    PAGEATTR,
    `rodata_full: aliases of ${pages} read-only vmalloc pages follow`,
  );
}

/**
 * secretmem_fault(): each page of a memfd_secret file becomes invalid in the linear map when it is
 * first touched.
 */
export function hideSecretPages(state: BootState, pages: readonly number[]): void {
  if (!can_set_direct_map(state)) return;
  for (const pa of pages) updatePage(state, pa, makeInvalid(state.traits, state.prot));
  if (pages.length > 0) {
    state.why(
      'set_direct_map_invalid_noflush()',
      `${PAGEATTR}, mm/secretmem.c`,
      `${pages.length} secret pages become invalid`,
    );
  }
}

/**
 * The two changes of __set_memory_enc_dec(): it makes the mapping invalid, then valid again at its
 * new address.
 */
export function changesOf(
  { traits, prot }: Pick<BootState, 'traits' | 'prot'>,
  direction: SharingRequest['direction'],
): [AttributeChange, AttributeChange] {
  const shared = direction === 'decrypt' ? PROT_NS_SHARED : 0n;
  const { set, clear } = makeInvalid(traits, prot);
  // What is cleared first is set again where the page becomes shared.
  const away = { set: set | shared, clear: clear | PROT_NS_SHARED };
  return [away, makeValid(traits, prot)];
}

/**
 * Between the two changes __set_memory_enc_dec() calls the RMM; if the first change fails, it does
 * not.
 */
function askFor(state: BootState, { start, pages, direction, before }: SharingRequest): void {
  const { map } = state;
  const first = map.physBase + map.offsetOfVa(start);
  const range = { start: first, end: first + pages * map.geometry.granule };
  const set =
    direction === 'decrypt' ? rsi_set_memory_range_shared : rsi_set_memory_range_protected;
  state.rsi.push({
    ...set(range),
    where: `realm_set_memory_${direction}ed()`,
    source: PAGEATTR,
    before,
  });
}

/**
 * set_memory_decrypted() and set_memory_encrypted() of a realm: one request against the linear map,
 * with the state that a failure leaves behind. A block that is only partly covered ends it with
 * -EINVAL; leaves before that block keep the first of the two changes.
 */
export function realm_set_memory(state: BootState, request: SharingRequest): void {
  if (!state.decisions.realm) return;
  const { map, why } = state;
  const start = map.offsetOfVa(request.start);
  const end = start + request.pages * map.geometry.granule;
  const name = `realm_set_memory_${request.direction}ed()`;
  const what = `${request.pages} pages for ${request.caller}()`;
  try {
    const [away, back] = changesOf(state, request.direction);
    update_range_prot(state, start, end, away, request);
    askFor(state, request);
    update_range_prot(state, start, end, back, request);
    why(name, PAGEATTR, `${what} become ${request.direction === 'decrypt' ? 'shared' : 'private'}`);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.errno === 'EBUSY')
      why(
        'split_kernel_leaf_mapping()',
        MMU,
        `WARN and -EBUSY before the capabilities are final: ${what} stay as they are`,
      );
    else why(name, PAGEATTR, `WARN and -EINVAL for ${what}: ${error.message}; they are leaked`);
  }
}
