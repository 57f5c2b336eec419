// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import {
  contains,
  join,
  overlap,
  type PhysicalRange,
  roundInward,
  roundOutward,
  sizedRange,
  sizeOf,
  subtract,
} from '../../src/linux/physical-range.ts';

/** Small enough that ranges meet, and that each of their bytes can be looked at. */
const someRange = fc
  .tuple(fc.nat(60), fc.integer({ min: 1, max: 12 }))
  .map(([start, size]) => sizedRange(start, size));
const someRanges = fc.array(someRange, { maxLength: 8 });

/** The bytes of ranges, which is what they are by definition. */
function bytesOf(ranges: readonly PhysicalRange[]): Set<number> {
  return new Set(
    ranges.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, i) => start + i)),
  );
}

const ascending = (ranges: PhysicalRange[]) => ranges.sort((a, b) => a.start - b.start);

t.test('the end of a range is behind its last byte', async (t) => {
  t.same(sizedRange(0x4000_0000, 0x1000), { start: 0x4000_0000, end: 0x4000_1000 });
  t.equal(sizeOf(sizedRange(5, 3), sizedRange(9, 2)), 5);
  t.equal(sizeOf(), 0);
  t.equal(overlap(sizedRange(0, 4), sizedRange(4, 4)), false, 'ranges that touch');
});

t.test('what is subtracted is gone, and nothing else', async (t) => {
  fc.assert(
    fc.property(someRange, someRanges, (range, holes) => {
      const gone = bytesOf(holes);
      const left = subtract(range, ascending(holes));
      t.same(
        [...bytesOf(left)],
        [...bytesOf([range])].filter((byte) => !gone.has(byte)),
      );
      t.equal(
        left.every(({ start, end }) => start < end),
        true,
      );
      t.equal(contains(holes, range), left.length === 0);
    }),
  );
});

t.test('joined ranges have the same bytes, ascend, and do not touch', async (t) => {
  fc.assert(
    fc.property(someRanges, (ranges) => {
      const joined = join(ranges);
      t.same(
        [...bytesOf(joined)],
        [...bytesOf(ranges)].sort((a, b) => a - b),
      );
      t.equal(sizeOf(...joined), bytesOf(ranges).size);
      t.ok(joined.slice(1).every(({ start }, index) => start > (joined[index]?.end ?? start)));
    }),
  );
});

t.test('the ranges that are joined are left as they are', async (t) => {
  const ranges = [sizedRange(4, 4), sizedRange(0, 4)];
  t.same(join(ranges), [{ start: 0, end: 8 }]);
  t.same(ranges, [
    { start: 4, end: 8 },
    { start: 0, end: 4 },
  ]);
});

t.test('ranges overlap where they share a byte', async (t) => {
  fc.assert(
    fc.property(someRange, someRange, (one, other) => {
      const shared = [...bytesOf([one])].some((byte) => bytesOf([other]).has(byte));
      t.equal(overlap(one, other), shared);
    }),
  );
});

t.test('whole units inside a range, and those that it touches', async (t) => {
  t.same(roundInward({ start: 1, end: 31 }, 8), { start: 8, end: 24 });
  t.same(roundOutward({ start: 1, end: 31 }, 8), { start: 0, end: 32 });
  fc.assert(
    fc.property(someRange, fc.integer({ min: 1, max: 16 }), (range, unit) => {
      const [inside, around] = [roundInward(range, unit), roundOutward(range, unit)];
      t.ok(inside.start >= range.start && inside.end <= range.end);
      t.ok(around.start <= range.start && around.end >= range.end);
      const borders = [inside.start, inside.end, around.start, around.end];
      t.same(
        borders.map((border) => border % unit),
        [0, 0, 0, 0],
      );
      t.ok(range.start - around.start < unit && around.end - range.end < unit);
      t.ok(inside.start - range.start < unit && range.end - inside.end < unit);
    }),
  );
});
