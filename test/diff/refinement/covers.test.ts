// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { allOffsets, covers } from '../../../src/diff/refinement/covers.ts';

const tlbi = (start: number, end: number) => ({ start, end });

t.test('TLB invalidations cover a range together, in any order, without a gap', (t) => {
  const pages = [tlbi(0x2000, 0x3000), tlbi(0x1000, 0x2000)];
  t.ok(covers(pages, 0x1000, 0x3000, 4096));
  t.notOk(covers(pages, 0x1000, 0x3001, 4096));
  t.notOk(covers(pages, 0, 0x3000, 4096));
  t.notOk(covers([tlbi(0x1000, 0x2000), tlbi(0x3000, 0x4000)], 0x1000, 0x4000, 4096));
  t.notOk(covers([], 0x1000, 0x2000, 4096));
  t.ok(covers([allOffsets], 0x1000, 2 ** 52, 4096));
  t.ok(covers([...pages, allOffsets], 0x1000, 2 ** 52, 4096));
  t.end();
});

t.test('an invalidation by address takes the whole page of the granule', (t) => {
  t.ok(covers([tlbi(0x5000, 0x6000)], 0x4000, 0x8000, 16384));
  t.notOk(covers([tlbi(0x5000, 0x6000)], 0x4000, 0x8000, 4096));
  t.end();
});
