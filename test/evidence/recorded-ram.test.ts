// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { differsFromRam } from '../../src/evidence/recorded-ram.ts';

t.test('RAM may differ by what the hardware writes itself, and by nothing else', (t) => {
  const table = { id: 1, pa: 0x4000_0000, level: 3, upper: true };
  const dbm = 1 << 19;
  for (const [own, seen, differs] of [
    [[0x403, 0, 0x3, 0], [0x403, 0, 0x403, 0], undefined],
    [[0x83, dbm], [0x403, dbm], undefined],
    [[0x83, 0], [0x3, 0], 0],
    [[0x3, dbm, 0x3, 1], [0x3, dbm, 0x3, 2], 1],
  ] as const) {
    const words = Uint32Array.from(own);
    t.equal(differsFromRam({ ...table, words }, Uint32Array.from(seen)), differs);
  }
  t.end();
});
