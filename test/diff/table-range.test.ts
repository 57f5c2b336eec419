// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { tableRange } from '../../src/diff/table-range.ts';
import { stage1Regime } from '../../src/vmsa/regime.ts';

/**
 * 4K granule, LPA2: 52-bit user addresses from a root table of 16 entries, as 6.12.107 had them on
 * a Neoverse-V3 identity.
 */
const regime = stage1Regime(
  {
    TTBR0_EL1: 0x4322f801n,
    TTBR1_EL1: 0n,
    TCR_EL1: 0x95001f6b54c350cn,
    MAIR_EL1: 0x40044ffffn,
    SCTLR_EL1: 1n,
  },
  'ttbr0',
);

t.test(
  'a root table smaller than a page does not own the rest of its page, nor the next one',
  async (t) => {
    t.same(tableRange({ pa: 0x4322f800, level: -1, va: 0n, attributes: 0n }, regime), {
      start: 0x4322f800,
      end: 0x4322f880,
    });
  },
);

t.test('any other table is a whole granule', async (t) => {
  t.same(tableRange({ pa: 0x4322c000, level: 0, va: 0n, attributes: 3n }, regime), {
    start: 0x4322c000,
    end: 0x4322d000,
  });
});
