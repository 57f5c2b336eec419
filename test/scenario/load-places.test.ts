// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import { contains, overlap, sizedRange } from '../../src/linux/physical-range.ts';
import { loadPlaces, roomInARow, usualSizes } from '../../src/scenario/load-places.ts';
import { memoryRanges, RAM_BASE } from '../../src/scenario/memory.ts';
import type { Machine } from '../../src/scenario/types.ts';
import { given } from '../given.ts';

const MiB = 2 ** 20;
type Memory = Pick<Machine, 'memory' | 'holes' | 'nodes' | 'firmware'>;
const plain: Memory = { memory: 1024, holes: [] };
const hole = (start: number, size: number) => ({ start: RAM_BASE + start, size });
/** Places as MiB behind the start of RAM. */
const places = (machine: Memory, sizes = usualSizes) => {
  const found = loadPlaces(machine, sizes);
  return found && Object.values(found).map((address) => (address - RAM_BASE) / MiB);
};

t.test(
  'where memory is, all is where QEMU would put it, with a firmware and without',
  async (t) => {
    t.same(places(plain), [2, 128, 130]);
    t.same(places({ ...plain, firmware: 'monitor' }), [2, 128, 130]);
    t.same(places({ ...plain, memory: 128 }), [2, 64, 66], 'the middle of a small memory');
    t.same(
      places({ ...plain, memory: 129 }),
      [2, 64.5, 68],
      'the device tree in a block of its own',
    );
    const large = { ...usualSizes, image: 200 * MiB };
    t.same(places(plain, large), [2, 202, 204], 'behind a large kernel');
    t.same(places(plain, { ...usualSizes, textOffset: 0x80000 }), [0.5, 128, 130]);
  },
);

t.test('holes may lie anywhere else', async (t) => {
  const around = [hole(0, 2 * MiB), hole(62 * MiB, 66 * MiB), hole(132 * MiB, 892 * MiB)];
  t.same(places({ ...plain, holes: around }), [2, 128, 130]);
  for (const at of [2, 61, 128, 131]) {
    const inside = { ...plain, holes: [hole(at * MiB, 4096)] };
    t.equal(places(inside), undefined, `but not at ${at} MiB`);
    t.ok(places({ ...inside, firmware: 'monitor' }), 'without a firmware');
  }
});

t.test('with a firmware all lies in a row, as low as possible', async (t) => {
  const machine = (holes: Memory['holes'], nodes?: Memory['nodes']): Memory => ({
    ...plain,
    ...{ firmware: 'monitor', holes },
    ...(nodes && { nodes }),
  });
  t.same(
    places(machine([hole(128 * MiB, 4096)])),
    [2, 62, 64],
    'behind what QEMU has at its start',
  );
  t.same(places(machine([hole(32 * MiB, 4096)])), [34, 94, 96], 'from a block on');
  const high = [[hole(0, 32 * MiB)], [hole(512 * MiB, roomInARow)]];
  t.same(places(machine([], high)), [512, 572, 574], 'in the first bank that is large enough');
  t.equal(places(machine([hole(512 * MiB, 4096)], high)), undefined, 'if there is one');
  const odd = { ...usualSizes, textOffset: 0x80000, image: 60 * MiB + 4096 };
  t.same(places(machine([hole(128 * MiB, 4096)]), odd), [2.5, 62.5625, 66]);
});

const address = fc.nat(1024 * 256).map((pages) => RAM_BASE + pages * 4096);
const holes = fc.array(
  fc.record({ start: address, size: fc.integer({ min: 1, max: 9000 }).map((n) => n * 4096) }),
  { maxLength: 8 },
);

t.test('what is loaded lies in memory, and in no other', async (t) => {
  let found = 0;
  fc.assert(
    fc.property(holes, fc.integer({ min: 128, max: 1024 }), fc.boolean(), (drawn, memory, any) => {
      const machine: Memory = { memory, holes: drawn, ...(any && { firmware: 'monitor' }) };
      const at = loadPlaces(machine, usualSizes);
      if (at === undefined) return;
      found++;
      const ranges = [
        sizedRange(at.image, usualSizes.image),
        sizedRange(at.initramfs, usualSizes.initramfs),
        sizedRange(at.deviceTree, 2 * MiB),
      ];
      for (const [index, range] of ranges.entries()) {
        if (!contains(memoryRanges(machine), range)) throw new Error('outside of memory');
        if (ranges.slice(0, index).some((other) => overlap(range, other)))
          throw new Error('over another');
      }
      if (given(at.image) % (2 * MiB) !== 0 || at.deviceTree % (2 * MiB) !== 0)
        throw new Error('not where a block begins');
    }),
    { seed: 15, numRuns: 2000 },
  );
  t.ok(found > 400, `in ${found} of 2000 memories`);
});
