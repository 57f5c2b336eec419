// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { needsBreak } from '../../src/bbm/needs-break.ts';

const halves = (value: bigint) => [Number(value & 0xffff_ffffn), Number(value >> 32n)] as const;
/** A writable page of the linear map at 0x40210000. */
const page = 0xe8_0000_4021_0703n;
const contiguous = 1n << 52n;

t.test('which changes of a live entry need break-before-make, by level of FEAT_BBM', (t) => {
  for (const [old, now, level, at0, at2] of [
    [page, page | (1n << 7n), 3, undefined, undefined],
    [page, page & ~(1n << 10n), 3, undefined, undefined],
    [page, page | (3n << 53n), 3, undefined, undefined],
    [page, page | (1n << 11n), 3, undefined, undefined],
    [page | (1n << 11n), page, 3, 'it becomes global', 'it becomes global'],
    [page, page + 0x1000n, 3, 'another output address', 'another output address'],
    [page, page | (1n << 2n), 3, 'another memory type', 'another memory type'],
    [page, page | (2n << 2n), 3, undefined, undefined],
    [page, page ^ (1n << 8n), 3, 'another shareability', 'another shareability'],
    [page, page | contiguous, 3, 'the contiguous bit changes', undefined],
    [
      page - 2n - 0x1_0000n,
      0x4300_0003n,
      2,
      'a block or page becomes a table, or a table a block',
      undefined,
    ],
    [0x4300_0003n, 0x4400_0003n, 2, 'another table', 'another table'],
    [0x4300_0003n, (1n << 59n) | 0x4300_0003n, 2, undefined, undefined],
  ] as const) {
    // Attributes 0 and 2 are the same memory type.
    const how = { memoryTypes: [0xff, 0, 0xff], lpa2: false };
    const found = needsBreak(...halves(old), ...halves(now), level, how);
    const what = `level ${level}: ${old.toString(16)} -> ${now.toString(16)}`;
    for (const bbm of [0, 1, 2, 3])
      t.equal(
        found && bbm <= found.upTo ? found.reason : undefined,
        bbm < 2 ? at0 : at2,
        `${what} at ${bbm}`,
      );
  }
  t.end();
});

t.test('with LPA2 the bits of shareability are of the output address, as are two more', (t) => {
  const lpa2 = { memoryTypes: [0xff], lpa2: true };
  for (const bit of [8n, 9n, 48n, 49n])
    t.match(needsBreak(...halves(page), ...halves(page ^ (1n << bit)), 3, lpa2), {
      reason: 'another output address',
      upTo: 3,
    });
  t.end();
});

t.test('a block with nT may change its size at level 1', (t) => {
  const how = { memoryTypes: [0xff], lpa2: false };
  const block = page - 2n - 0x1_0000n;
  const table = halves(0x4300_0003n);
  t.match(needsBreak(...halves(block), ...table, 2, how), { upTo: 1 });
  t.match(needsBreak(...halves(block | (1n << 16n)), ...table, 2, how), { upTo: 0 });
  t.match(needsBreak(...table, ...halves(block | (1n << 16n)), 2, how), { upTo: 0 });
  t.equal(
    needsBreak(...halves(block), ...halves(block | (1n << 16n)), 2, how),
    undefined,
    'it is no address',
  );
  t.end();
});
