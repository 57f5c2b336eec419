// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { type BbmLevel, needsBreak } from '../../src/bbm/needs-break.ts';

const descriptor = (value: bigint) => ({
  low: Number(value & 0xffff_ffffn),
  high: Number(value >> 32n),
});
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
    [page - 2n, 0x4300_0003n, 2, 'a block or page becomes a table, or a table a block', undefined],
    [0x4300_0003n, 0x4400_0003n, 2, 'another table', 'another table'],
    [0x4300_0003n, (1n << 59n) | 0x4300_0003n, 2, undefined, undefined],
  ] as const) {
    // Attributes 0 and 2 are the same memory type.
    const how = (bbm: BbmLevel) => ({ bbm, mair: 0xff_00_ffn, lpa2: false });
    const [from, to] = [descriptor(old), descriptor(now)];
    const what = `level ${level}: ${old.toString(16)} -> ${now.toString(16)}`;
    for (const bbm of [0, 1] as const)
      t.equal(needsBreak(from, to, level, how(bbm)), at0, `${what} at ${bbm}`);
    for (const bbm of [2, 3] as const)
      t.equal(needsBreak(from, to, level, how(bbm)), at2, `${what} at ${bbm}`);
  }
  const lpa2 = { bbm: 0, mair: 0n, lpa2: true } as const;
  t.equal(needsBreak(descriptor(page), descriptor(page ^ (1n << 8n)), 3, lpa2), undefined);
  t.end();
});
