// SPDX-License-Identifier: GPL-2.0-only
import { bool, int } from '../../../../linux/arguments.ts';
import { _PAGE_OFFSET, vmemmapStart } from '../../../../linux/kernel-layout.ts';
import { PTE_GP, PTE_PXN, PTE_RDONLY, PTE_WRITE } from '../../../../linux/pgprot.ts';
import { page_address } from '../../../../linux/struct-page.ts';
import { EINVAL, type Operation, type OperationState, type Registers } from '../../../operation.ts';
import { split_kernel_leaf_mapping } from './mmu-split.ts';
import {
  type AttributeChange,
  can_set_direct_map,
  changeAttributes,
  changesOf,
  makeInvalid,
  makeValid,
  Refusal,
  readOnlyAlias,
} from './pageattr.ts';

/*
 * arch/arm64/mm/pageattr.c as it is called: what one call of set_memory_*() and set_direct_map_*()
 * does to the tables, and what it returns.
 */

/** What splits leaves for it, by its names. */
const parts = ['split_kernel_leaf_mapping', 'split_kernel_leaf_mapping_locked'];

/** update_range_prot(); up to 6.17 apply_to_page_range(), which splits nothing. */
function update_range_prot(
  state: OperationState,
  start: number,
  end: number,
  change: AttributeChange,
): number {
  const { map, traits, time } = state;
  const va = (offset: number): bigint => map.start + BigInt(offset);
  const refused = split_kernel_leaf_mapping(state, va(start), va(end), time);
  if (refused !== 0) return refused;
  try {
    changeAttributes(map, traits, start, end, change);
    return 0;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return -EINVAL;
  }
}

/**
 * __change_memory_common(): invalidates the TLBs, even where the change was refused, unless all that
 * it does is to make invalid memory valid (since 6.18; 15bfba1ad77f adds PTE_PRESENT_INVALID).
 */
function __change_memory_common(
  state: OperationState,
  start: number,
  end: number,
  change: AttributeChange,
): number {
  const answer = update_range_prot(state, start, end, change);
  const valid = makeValid(state.traits, state.prot);
  if (change.set !== valid.set || change.clear !== valid.clear) state.map.flush(start, end);
  return answer;
}

/**
 * The pages whose aliases change_memory_common() changes as well. Until 7.1 (and stable updates)
 * these are the pages of the whole area, which guard pages end.
 */
function pagesToFollow({ map, traits }: OperationState, start: number, end: number): number[] {
  const { granule } = map.geometry;
  let [first, last] = [start, end];
  if (traits.aliasOfWholeArea) {
    while (map.leafAt(first - granule)) first -= granule;
    while (map.leafAt(last)) last += granule;
  }
  const pages: number[] = [];
  for (let offset = first; offset < last; offset += granule) {
    const leaf = map.leafAt(offset);
    if (leaf) pages.push(leaf.pa);
  }
  return pages;
}

/** change_memory_common(): on vmalloc memory, with rodata_full on its linear alias as well. */
function change_memory_common(
  state: OperationState,
  [addr, numpages]: Registers,
  change: AttributeChange,
): number {
  const { map, decisions } = state;
  const { granule } = map.geometry;
  const start = map.offsetOfVa(addr);
  const end = start + int(numpages) * granule;
  if (start === end) return 0;
  if (decisions.rodataFull && (change.set === PTE_RDONLY || change.clear === PTE_RDONLY)) {
    for (const pa of pagesToFollow(state, start, end)) {
      const alias = map.offsetOfPa(pa);
      const answer = __change_memory_common(state, alias, alias + granule, change);
      // Until 6.17 nobody looks at what it returns.
      if (answer !== 0 && state.traits.bbml !== 'none') return answer;
    }
  }
  return __change_memory_common(state, start, end, change);
}

const maybeGp = ({ bti }: OperationState): bigint => (bti ? PTE_GP : 0n);

const common = (change: (state: OperationState) => AttributeChange): Operation => ({
  parts,
  run: (state, args) => change_memory_common(state, args, change(state)),
});

export const set_memory_ro = common(() => readOnlyAlias);
export const set_memory_rw = common(() => ({ set: PTE_WRITE, clear: PTE_RDONLY }));
export const set_memory_nx = common((state) => ({ set: PTE_PXN, clear: maybeGp(state) }));
export const set_memory_x = common((state) => ({ set: maybeGp(state), clear: PTE_PXN }));

function setValid(state: OperationState, start: number, pages: number, enable: boolean): number {
  const { map, traits, prot } = state;
  const change = (enable ? makeValid : makeInvalid)(traits, prot);
  return __change_memory_common(state, start, start + pages * map.geometry.granule, change);
}

export const set_memory_valid: Operation = {
  parts,
  run: (state, [addr, pages, enable]) =>
    setValid(state, state.map.offsetOfVa(addr), int(pages), int(enable) !== 0),
};

/** Where the memory of a struct page is, as an offset. */
function offsetOfPage({ map, traits: { config, geometry } }: OperationState, page: bigint): number {
  const [vmemmap, pageOffset] = [
    vmemmapStart(config.vaBits, geometry),
    _PAGE_OFFSET(config.vaBits),
  ];
  return map.offsetOfVa(page_address(page, { vmemmap, pageOffset, granule: geometry.granule }));
}

const directMap = (change: (state: OperationState) => AttributeChange): Operation => ({
  parts,
  run(state, [page]) {
    if (!can_set_direct_map(state)) return 0;
    const start = offsetOfPage(state, page);
    return update_range_prot(state, start, start + state.map.geometry.granule, change(state));
  },
});

export const set_direct_map_invalid_noflush = directMap(({ traits, prot }) =>
  makeInvalid(traits, prot),
);
export const set_direct_map_default_noflush = directMap(({ traits, prot }) => {
  const { set, clear } = makeValid(traits, prot);
  return { set: set | PTE_WRITE, clear: clear | PTE_RDONLY };
});

/** What set_direct_map_valid_noflush() and __kernel_map_pages() do. */
function setPagesValid(
  state: OperationState,
  page: bigint,
  pages: number,
  enable: boolean,
): number {
  return can_set_direct_map(state) ? setValid(state, offsetOfPage(state, page), pages, enable) : 0;
}

export const set_direct_map_valid_noflush: Operation = {
  parts: [...parts, 'set_memory_valid'],
  run: (state, [page, nr, valid]) => setPagesValid(state, page, int(nr), bool(valid)),
};

/** __kernel_map_pages(page, numpages, enable), which returns nothing. */
export const __kernel_map_pages: Operation = {
  ...set_direct_map_valid_noflush,
  run(state, [page, pages, enable]) {
    setPagesValid(state, page, int(pages), int(enable) !== 0);
    return undefined;
  },
};

/** __set_memory_enc_dec(addr, numpages, encrypt): breaks the mapping before it makes the other. */
function encDec(
  state: OperationState,
  addr: bigint,
  pages: number,
  direction: 'encrypt' | 'decrypt',
): number {
  const { map, decisions } = state;
  if (!decisions.realm) return 0;
  const start = map.offsetOfVa(addr);
  const end = start + pages * map.geometry.granule;
  const [away, back] = changesOf(state, direction);
  const broken = __change_memory_common(state, start, end, away);
  return broken === 0 ? __change_memory_common(state, start, end, back) : broken;
}

export const __set_memory_enc_dec: Operation = {
  parts,
  run: (state, [addr, pages, encrypt]) =>
    encDec(state, addr, int(pages), bool(encrypt) ? 'encrypt' : 'decrypt'),
};

const realm = (direction: 'encrypt' | 'decrypt'): Operation => ({
  parts: [...parts, '__set_memory_enc_dec'],
  run: (state, [addr, pages]) => encDec(state, addr, int(pages), direction),
});

export const realm_set_memory_encrypted = realm('encrypt');
export const realm_set_memory_decrypted = realm('decrypt');
