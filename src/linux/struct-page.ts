// SPDX-License-Identifier: GPL-2.0-only
/**
 * Part of the kernel's array of struct page (include/linux/mm_types.h), with one element for every
 * page of memory.
 */
interface PageArray {
  /** Little-endian, whole structures. */
  bytes: Uint8Array;
  /** Kernel virtual address of the first of them. */
  address: bigint;
  /** Page frame number of the first page. */
  firstPfn: number;
}

/**
 * sizeof(struct page) on arm64 (HAVE_ALIGNED_STRUCT_PAGE), and the offsets of its members: the same
 * from 6.12 to 7.3.
 */
export const structPageBytes = 64;

/**
 * page_address() (arch/arm64/include/asm/memory.h): the linear address of a page.
 * @param page address of its struct page
 * @param vmemmap address of the first one, that of the page at `pageOffset`
 */
export function page_address(
  page: bigint,
  { vmemmap, pageOffset, granule }: { vmemmap: bigint; pageOffset: bigint; granule: number },
): bigint {
  return pageOffset + ((page - vmemmap) / BigInt(structPageBytes)) * BigInt(granule);
}

const LRU = 8;
const PRIVATE = 40;
const PAGE_TYPE = 48;
const REFCOUNT = 52;

/**
 * PGTY_buddy of include/linux/page-flags.h, in the top byte of page_type; a page without a type has
 * all bits set.
 */
const PGTY_buddy = 0xf0;
const noType = 0xffff_ffff;
/** A higher order is not plausible; MAX_PAGE_ORDER is 13 with 64K pages. */
const largestOrder = 20;

/** Reads 8 bytes at a kernel virtual address; undefined where none are mapped. */
type ReadWord = (address: bigint) => bigint | undefined;

/**
 * Whether the list_head at `address` is linked between two others that both point back at it. A
 * page that is on no list points at itself, or at the poison that list_del() leaves.
 */
function isOnList(address: bigint, next: bigint, previous: bigint, read: ReadWord): boolean {
  return next !== address && read(next + 8n) === address && read(previous) === address;
}

/**
 * What one struct page says about its page: it is the head of a free block on a free list or on a
 * CPU's list, or says nothing, or is something else.
 */
type PageState = { kind: 'buddy'; order: number } | { kind: 'per-cpu' | 'silent' | 'used' };

function stateOf(view: DataView, at: number, lru: bigint, read: ReadWord): PageState {
  const type = view.getUint32(at + PAGE_TYPE, true);
  const order = view.getUint32(at + PRIVATE, true);
  if (type >>> 24 === PGTY_buddy && order <= largestOrder) return { kind: 'buddy', order };
  const next = view.getBigUint64(at + LRU, true);
  // Bit 0 marks the tail of a compound page.
  if (type !== noType || view.getUint32(at + REFCOUNT, true) !== 0 || next & 1n)
    return { kind: 'used' };
  return {
    kind: isOnList(lru, next, view.getBigUint64(at + LRU + 8, true), read) ? 'per-cpu' : 'silent',
  };
}

/**
 * Page frames that are free according to the page allocator's own data: blocks on its free lists
 * (PageBuddy, with their order in `private`), and those on the lists of a CPU (struct
 * per_cpu_pages), whose first page has no type and no reference but is linked into a list. The
 * other pages of such a block say nothing. An allocated block begins with a page that has a
 * reference, so silent pages directly after a free page belong to its block.
 * @returns ascending ranges of frames [start, end)
 */
export function freeFrames(
  { bytes, address, firstPfn }: PageArray,
  readWord: ReadWord,
): { start: number; end: number }[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pages = Math.floor(bytes.byteLength / structPageBytes);
  const stateAt = (page: number): PageState => {
    const at = page * structPageBytes;
    return stateOf(view, at, address + BigInt(at + LRU), readWord);
  };
  const ranges: { start: number; end: number }[] = [];
  for (let page = 0; page < pages; ) {
    const first = page++;
    const state = stateAt(first);
    if (state.kind === 'buddy') page = Math.min(first + 2 ** state.order, pages);
    else if (state.kind === 'per-cpu')
      while (page < pages && stateAt(page).kind === 'silent') page++;
    else continue;
    const last = ranges.at(-1);
    if (last?.end === firstPfn + first) last.end = firstPfn + page;
    else ranges.push({ start: firstPfn + first, end: firstPfn + page });
  }
  return ranges;
}
