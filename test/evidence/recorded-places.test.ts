// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { RecordedPlaces, unknownTable } from '../../src/evidence/recorded-places.ts';
import { geometryOf } from '../../src/linux/geometry.ts';

/** A table of 512 entries with one descriptor in it. */
function table(pa: number, level: number, upper: boolean, index = 0, next = 0) {
  const words = new Uint32Array(1024);
  if (next !== 0) words[2 * index] = next | 3;
  return { id: pa, pa, level, upper, words };
}

t.test('an entry translates what its tables lead to', (t) => {
  const places = new RecordedPlaces();
  const root = table(0x1000, 0, true, 256, 0x2000);
  const second = table(0x2000, 1, true);
  const third = table(0x3000, 2, true);
  places.linked(root);
  places.stored(second, 1, 0x3003, 0);
  t.equal(places.addressOf(root, 256, geometryOf(4096)), 0xffff_8000_0000_0000n);
  t.equal(places.addressOf(third, 2, geometryOf(4096)), 0xffff_8000_4040_0000n);
  t.equal(
    places.addressOf(table(0x9000, 0, false), 1, geometryOf(4096)),
    1n << 39n,
    'user space begins at 0',
  );
  t.end();
});

t.test('a block and an invalid entry lead to no table', (t) => {
  const places = new RecordedPlaces();
  const pud = table(0x2000, 1, true);
  places.stored(pud, 4, 0x3001, 0);
  places.stored(pud, 5, 0x3002, 0);
  // Of an orphan nothing is known but its place in its own level.
  t.equal(places.addressOf(table(0x3000, 2, false), 1, geometryOf(4096)), 0x20_0000n);
  t.end();
});

t.test('granules of 16 and 64 KiB', (t) => {
  const places = new RecordedPlaces();
  for (const granule of [16384, 65536] as const) {
    const page = BigInt(granule);
    t.equal(places.addressOf(table(0x10000, 3, false), 3, geometryOf(granule)), 3n * page);
    t.equal(places.addressOf(table(0x10000, 2, false), 1, geometryOf(granule)), page * (page / 8n));
  }
  t.end();
});

t.test('a table that an entry leads to, and that is not known', (t) => {
  const pud = table(0x2000, 1, true, 7, 0x3000);
  t.equal(
    unknownTable([pud, table(0x3000, 2, true), table(0x4000, 3, true, 1, 0x9000)]),
    undefined,
  );
  t.match(unknownTable([pud]), { table: { pa: 0x2000 }, index: 7, pa: 0x3000 });
  t.end();
});
