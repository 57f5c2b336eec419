// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { covers } from '../../../src/diff/refinement/covers.ts';

const tlbi = (start: bigint, end: bigint) => ({
  ...{ broadcast: true, lastLevelOnly: true, global: true },
  range: { start, end },
});
const all = { broadcast: true, lastLevelOnly: false, global: true };

t.test('TLB invalidations cover a range together, in any order, without a gap', (t) => {
  const pages = [tlbi(0x2000n, 0x3000n), tlbi(0x1000n, 0x2000n)];
  t.ok(covers(pages, 0x1000n, 0x3000n, 4096));
  t.notOk(covers(pages, 0x1000n, 0x3001n, 4096));
  t.notOk(covers(pages, 0xfffn - 0xfffn, 0x3000n, 4096));
  t.notOk(covers([tlbi(0x1000n, 0x2000n), tlbi(0x3000n, 0x4000n)], 0x1000n, 0x4000n, 4096));
  t.notOk(covers([], 0x1000n, 0x2000n, 4096));
  t.ok(covers([all], 0x1000n, 2n ** 64n, 4096));
  t.ok(covers([...pages, all], 0x1000n, 2n ** 64n, 4096));
  t.end();
});

t.test('an invalidation by address takes the whole page of the granule', (t) => {
  const [page] = [tlbi(0x4000n, 0x5000n)];
  t.ok(covers([page], 0x4000n, 0x8000n, 16384));
  t.notOk(covers([page], 0x4000n, 0x8000n, 4096));
  t.end();
});
