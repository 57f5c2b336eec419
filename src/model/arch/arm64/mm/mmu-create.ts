// SPDX-License-Identifier: GPL-2.0-only
import type { KernelTraits } from '../../../../linux/kernel-traits.ts';
import {
  MT_NORMAL,
  MT_NORMAL_TAGGED,
  PMD_TABLE_BIT,
  PTE_ATTRINDX,
  PTE_ATTRINDX_MASK,
  PTE_CONT,
  PTE_NG,
  PTE_PXN,
  PTE_RDONLY,
  PTE_SWBITS_MASK,
  PTE_VALID,
  PTE_WRITE,
  TABLE_AF,
  TABLE_PXN,
  TABLE_TYPE,
  TABLE_UXN,
} from '../../../../linux/pgprot.ts';
import { PredictedBug } from '../../../bug.ts';
import { type LinearMap, NONE, TABLE, type Table } from '../../../linear-map.ts';

/* arch/arm64/mm/mmu.c from its beginning to __create_pgd_mapping(): how a range is mapped. */

const isNormal = (attributes: bigint): boolean =>
  (attributes & PTE_ATTRINDX_MASK) === PTE_ATTRINDX(MT_NORMAL) ||
  (attributes & PTE_ATTRINDX_MASK) === PTE_ATTRINDX(MT_NORMAL_TAGGED);

/**
 * pgattr_change_is_safe() of arch/arm64/mm/mmu.c, without the check of the page frame, which never
 * changes in the linear map. Until 05c5c31e9d8d (7.2) contiguous mappings could not be changed at
 * all.
 */
function pgattr_change_is_safe(traits: KernelTraits, old: bigint, next: bigint): boolean {
  if (!(old & PTE_VALID) || !(next & PTE_VALID)) return true;
  if (!traits.contiguousMayChange && (old | next) & PTE_CONT) return false;
  if (old & ~next & PTE_NG) return false;
  let mask = PTE_PXN | PTE_RDONLY | PTE_WRITE | PTE_NG | PTE_SWBITS_MASK;
  if (isNormal(old) && isNormal(next)) mask |= PTE_ATTRINDX_MASK;
  return ((old ^ next) & ~mask) === 0n;
}

/** Flags of __create_pgd_mapping(), arch/arm64/mm/mmu.c. */
export const NO_BLOCK_MAPPINGS = 1;
export const NO_CONT_MAPPINGS = 2;
export const NO_EXEC_MAPPINGS = 4;

/**
 * State shared by all steps of one mapping request. `alloc` false stands for pgtable_alloc == NULL.
 */
interface Request {
  map: LinearMap;
  traits: KernelTraits;
  flags: number;
  alloc: boolean;
}

/**
 * Descriptor bits of a new table; the access flag since 6.13 (FEAT_HAFT, kernel commit
 * efe72541355d).
 */
export function tableDescriptor(traits: KernelTraits, pxn: boolean): bigint {
  return TABLE_TYPE | TABLE_UXN | (traits.tableAccessFlag ? TABLE_AF : 0n) | (pxn ? TABLE_PXN : 0n);
}

function tableAt(request: Request, parent: Table, index: number, where: string): Table {
  const entry = request.map.entry(parent, index);
  if (request.map.isLeaf(entry)) throw new PredictedBug(`BUG_ON(leaf) in ${where}()`);
  if (entry === TABLE) return parent.tables.get(index) as Table;
  if (!request.alloc) throw new PredictedBug(`BUG_ON(!pgtable_alloc) in ${where}()`);
  const pxn = (request.flags & NO_EXEC_MAPPINGS) !== 0;
  return request.map.populate(parent, index, tableDescriptor(request.traits, pxn));
}

const aligned = (size: number, ...values: number[]): boolean =>
  values.every((value) => value % size === 0);
const boundary = (addr: number, end: number, size: number): number =>
  Math.min(end, (Math.floor(addr / size) + 1) * size);

/**
 * [pte|pmd]_range_has_valid_noncont() of 7.2: a table entry counts, since its bits look valid and
 * not contiguous.
 */
function rangeHasValidNoncont(map: LinearMap, table: Table, first: number, count: number): boolean {
  for (let i = first; i < first + count; i++) {
    const entry = table.at(i);
    if (entry === TABLE) return true;
    if (entry === NONE) continue;
    const attributes = map.attributes(entry);
    if (attributes & PTE_VALID && !(attributes & PTE_CONT)) return true;
  }
  return false;
}

function init_pte(request: Request, table: Table, addr: number, end: number, prot: bigint): void {
  const { map, traits } = request;
  const code = map.leaf(prot);
  const last = map.index(table, addr) + (end - addr) / map.geometry.granule;
  for (let i = map.index(table, addr); i < last; i++) {
    const old = table.at(i);
    if (old !== NONE && !pgattr_change_is_safe(traits, map.attributes(old), prot))
      throw new PredictedBug('BUG_ON(!pgattr_change_is_safe) in init_pte()');
    table.set(i, code);
  }
}

/**
 * True where a contiguous mapping may be used for [addr, next), as alloc_init_cont_pte() and
 * alloc_init_cont_pmd() decide.
 */
function mayUseCont(
  request: Request,
  table: Table,
  addr: number,
  next: number,
  size: number,
): boolean {
  const { map, traits, flags } = request;
  if (flags & NO_CONT_MAPPINGS || !aligned(size, addr, next, addr + map.physBase)) return false;
  const entries = size / table.entrySize;
  return !(
    traits.keepsSingleLeaves && rangeHasValidNoncont(map, table, map.index(table, addr), entries)
  );
}

/**
 * The loops of alloc_init_cont_pte() and init_pte() where they fill all of an empty table: each of
 * its contiguous groups is aligned as the first one is.
 */
function fillWhole(request: Request, table: Table, prot: bigint): void {
  const { CONT_PTE_SIZE } = request.map.geometry;
  const next = table.offset + CONT_PTE_SIZE;
  const cont = mayUseCont(request, table, table.offset, next, CONT_PTE_SIZE);
  table.fill(request.map.leaf(cont ? prot | PTE_CONT : prot));
}

function alloc_init_cont_pte(
  request: Request,
  pmd: Table,
  addr: number,
  end: number,
  prot: bigint,
): void {
  const { map } = request;
  const table = tableAt(request, pmd, map.index(pmd, addr), 'alloc_init_cont_pte');
  if (table.same === NONE && end - addr === table.length * table.entrySize) {
    fillWhole(request, table, prot);
    return;
  }
  for (let next = addr; addr < end; addr = next) {
    next = boundary(addr, end, map.geometry.CONT_PTE_SIZE);
    const cont = mayUseCont(request, table, addr, next, map.geometry.CONT_PTE_SIZE);
    init_pte(request, table, addr, next, cont ? prot | PTE_CONT : prot);
  }
}

/**
 * pmd_set_huge() and pud_set_huge(): refused where the change is not safe, silently before 7.2. The
 * BUG_ON() behind them then compares what is there with itself, which only a contiguous block before
 * 7.2 fails.
 */
function setHuge(request: Request, table: Table, index: number, prot: bigint): void {
  const { map, traits } = request;
  const attributes = prot & ~PMD_TABLE_BIT;
  const entry = map.entry(table, index);
  if (entry === TABLE) return;
  const old = entry === NONE ? 0n : map.attributes(entry);
  if (pgattr_change_is_safe(traits, old, attributes)) table.set(index, map.leaf(attributes));
  else if (!pgattr_change_is_safe(traits, old, old))
    throw new PredictedBug('BUG_ON(!pgattr_change_is_safe) in init_pmd()');
}

/** True where a block of `size` is tried; since 7.2 not where a table exists. */
function mayUseBlock(
  request: Request,
  entry: number,
  addr: number,
  next: number,
  size: number,
): boolean {
  const { map, traits, flags } = request;
  if (flags & NO_BLOCK_MAPPINGS || !aligned(size, addr, next, addr + map.physBase)) return false;
  return !(traits.keepsTables && entry === TABLE);
}

function init_pmd(request: Request, table: Table, addr: number, end: number, prot: bigint): void {
  const { map } = request;
  for (let next = addr; addr < end; addr = next) {
    next = boundary(addr, end, map.geometry.PMD_SIZE);
    const index = map.index(table, addr);
    if (mayUseBlock(request, map.entry(table, index), addr, next, map.geometry.PMD_SIZE)) {
      setHuge(request, table, index, prot);
    } else {
      alloc_init_cont_pte(request, table, addr, next, prot);
    }
  }
}

/** The loop of alloc_init_cont_pmd() over one table of PMDs. */
function initContPmds(
  request: Request,
  table: Table,
  addr: number,
  end: number,
  prot: bigint,
): void {
  const { map } = request;
  for (let next = addr; addr < end; addr = next) {
    next = boundary(addr, end, map.geometry.CONT_PMD_SIZE);
    const cont = mayUseCont(request, table, addr, next, map.geometry.CONT_PMD_SIZE);
    init_pmd(request, table, addr, next, cont ? prot | PTE_CONT : prot);
  }
}

function alloc_init_cont_pmd(
  request: Request,
  pud: Table,
  addr: number,
  end: number,
  prot: bigint,
): void {
  const table = tableAt(request, pud, request.map.index(pud, addr), 'alloc_init_cont_pmd');
  initContPmds(request, table, addr, end, prot);
}

function alloc_init_pud(
  request: Request,
  table: Table,
  addr: number,
  end: number,
  prot: bigint,
): void {
  const { map } = request;
  for (let next = addr; addr < end; addr = next) {
    next = boundary(addr, end, map.geometry.PUD_SIZE);
    const index = map.index(table, addr);
    const huge =
      map.geometry.pudSectSupported &&
      mayUseBlock(request, map.entry(table, index), addr, next, map.geometry.PUD_SIZE);
    if (huge) setHuge(request, table, index, prot);
    else alloc_init_cont_pmd(request, table, addr, next, prot);
  }
}

/**
 * Levels above the PUD (alloc_init_p4d() and the PGD loop) hold tables only. With two levels (64K
 * pages and 42 bits, 16K and 36) PGD, P4D and PUD are folded onto the PMD: each step of their loops
 * is one PMD, so no range is long enough for a contiguous group.
 */
function alloc_init_upper(
  request: Request,
  table: Table,
  addr: number,
  end: number,
  prot: bigint,
): void {
  const { map } = request;
  if (table.level === 1) {
    alloc_init_pud(request, table, addr, end, prot);
    return;
  }
  for (let next = addr; addr < end; addr = next) {
    next = boundary(addr, end, table.entrySize);
    if (table.level === 2) {
      initContPmds(request, table, addr, next, prot);
      continue;
    }
    const below = tableAt(request, table, map.index(table, addr), 'alloc_init_p4d');
    alloc_init_upper(request, below, addr, next, prot);
  }
}

/**
 * __create_pgd_mapping() of arch/arm64/mm/mmu.c for the linear alias of the physical range [start,
 * end), in bytes.
 * @param prot attribute bits of a page (PAGE_KERNEL and the like)
 * @param alloc false where the kernel passes no allocator: new tables are then a BUG
 * @throws PredictedBug where the kernel would stop
 */
export function __create_pgd_mapping(
  map: LinearMap,
  traits: KernelTraits,
  start: number,
  end: number,
  prot: bigint,
  flags: number,
  alloc: boolean,
): void {
  const { granule } = map.geometry;
  const from = Math.floor(start / granule) * granule;
  const to = Math.ceil(end / granule) * granule;
  alloc_init_upper(
    { map, traits, flags, alloc },
    map.root,
    map.offsetOfPa(from),
    map.offsetOfPa(to),
    prot,
  );
}
