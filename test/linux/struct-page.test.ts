// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import { freeFrames, structPageBytes } from '../../src/linux/struct-page.ts';
import { given } from '../given.ts';

const address = 0xffff_fdff_c000_0000n;
const firstPfn = 0x40000;
const listHead = 0xffff_0000_3fff_0000n;

/**
 * Memory of struct pages as the kernel initialises them: one reference each, no type, a list of its
 * own.
 */
class Pages {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #words = new Map<bigint, bigint>();

  constructor(count: number) {
    this.bytes = new Uint8Array(count * structPageBytes);
    this.#view = new DataView(this.bytes.buffer);
    for (let page = 0; page < count; page++) this.set(page, { references: 1 });
  }

  lru(page: number): bigint {
    return address + BigInt(page * structPageBytes + 8);
  }

  set(
    page: number,
    change: {
      references?: number;
      type?: number;
      order?: number;
      next?: bigint;
      previous?: bigint;
    },
  ): void {
    const { references = 0, type = 0xffff_ffff, order = 0, next = this.lru(page) } = change;
    const { previous = next } = change;
    const at = page * structPageBytes;
    this.#view.setBigUint64(at + 8, next, true);
    this.#view.setBigUint64(at + 16, previous, true);
    this.#view.setBigUint64(at + 40, BigInt(order), true);
    this.#view.setUint32(at + 48, type, true);
    this.#view.setUint32(at + 52, references, true);
  }

  /** A block of a free list: its further pages have no reference. */
  buddy(page: number, order: number): void {
    for (let i = page; i < page + 2 ** order; i++) this.set(i, {});
    this.set(page, { type: 0xf0000000, order, next: listHead });
  }

  /** A block on a list that holds nothing else. */
  perCpu(page: number, order = 0, head = listHead): void {
    for (let i = page; i < page + 2 ** order; i++) this.set(i, {});
    this.set(page, { next: head });
    this.#words.set(head, this.lru(page)).set(head + 8n, this.lru(page));
  }

  free(): { start: number; end: number }[] {
    const frames = freeFrames({ bytes: this.bytes, address, firstPfn }, (at) =>
      this.#words.get(at),
    );
    return frames.map(({ start, end }) => ({ start: start - firstPfn, end: end - firstPfn }));
  }
}

t.test('blocks of the free lists count whole, and join', async (t) => {
  const pages = new Pages(32);
  pages.buddy(4, 2);
  pages.buddy(8, 3);
  pages.buddy(24, 1);
  t.same(pages.free(), [
    { start: 4, end: 16 },
    { start: 24, end: 26 },
  ]);
});

t.test('pages on the list of a CPU are free, with what belongs to their block', async (t) => {
  const pages = new Pages(16);
  pages.perCpu(3);
  pages.perCpu(8, 2, listHead + 16n);
  t.same(pages.free(), [
    { start: 3, end: 4 },
    { start: 8, end: 12 },
  ]);
});

t.test('no reference alone does not make a page free', async (t) => {
  const pages = new Pages(16);
  // The further pages of an allocated block; a slab; the tail of a compound page; a page that left
  // its list.
  pages.set(1, {});
  pages.set(4, { type: 0xf5000000 });
  pages.set(6, { next: pages.lru(5) | 1n });
  pages.set(8, { next: 0xdead000000000100n, previous: 0xdead000000000122n });
  t.same(pages.free(), []);
});

t.test('whatever the bytes are, ranges ascend and lie inside', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 0, maxLength: 40 * structPageBytes }), (bytes) => {
      const ranges = freeFrames({ bytes, address, firstPfn }, () => undefined);
      const pages = Math.floor(bytes.length / structPageBytes);
      return ranges.every(
        ({ start, end }, i) =>
          start < end &&
          end <= firstPfn + pages &&
          (i === 0 ? start >= firstPfn : start > given(ranges[i - 1]).end),
      );
    }),
  );
  t.pass('they do');
});
