// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import type { Board, BoardRegion } from '../../src/evidence/board.ts';
import { memoryOf } from '../../src/evidence/board-memory.ts';

const GIB = 2 ** 30;
const region = (start: number, size: number, flags = 0): BoardRegion => ({
  ...{ start: start * GIB, end: (start + size) * GIB, flags, node: 0 },
});

function board(memory: BoardRegion[], iomem = ''): Board {
  return {
    collected: {
      ...{ schema: 1, collector: '1', source: 'kcore', walks: 2, settled: true, uptime: 1 },
      ...{ lockdown: null, lost: [] },
    },
    ...{ descriptors: [], unsettled: [], variables: {}, cpus: [], overrides: [], secret: [] },
    memory,
    files: { '/proc/iomem': iomem },
  };
}

t.test('memory of several banks is what the boot mapped, and NOMAP is a part of it', async (t) => {
  const { present, noMap, added, notes } = memoryOf(
    board([region(1, 2), region(3, 1, 4), region(2048, 512)]),
  );
  t.same(present, [
    { start: GIB, end: 4 * GIB },
    { start: 2048 * GIB, end: 2560 * GIB },
  ]);
  t.same(noMap, [{ start: 3 * GIB, end: 4 * GIB }]);
  t.same([added, notes], [[], []]);
});

t.test('what came later is said to be what it is', async (t) => {
  const iomem = [
    '40000000-13fffffff : System RAM',
    '8000000000-80ffffffff : Persistent Memory',
    '  8000000000-80ffffffff : namespace0.0',
    'c000000000-c0ffffffff : System RAM (kmem)',
    'd000000000-d000000fff : pl011@d0000000',
    '',
  ].join('\n');
  const { present, added, notes } = memoryOf(
    board([region(1, 4), region(5, 1, 1), region(768, 4, 8)], iomem),
  );
  t.same(present, [{ start: GIB, end: 6 * GIB }]);
  t.match(added, [
    { start: 512 * GIB, end: 516 * GIB, what: /ZONE_DEVICE/ },
    { start: 768 * GIB, end: 772 * GIB, what: /MEMBLOCK_DRIVER_MANAGED/ },
  ]);
  t.equal(added.length, 2);
  t.match(notes, [
    /^4096 MiB is memory of a device/,
    /^4096 MiB is memory that a driver has added/,
    /^1024 MiB may be removed at run time \(MEMBLOCK_HOTPLUG\)/,
  ]);
});
