// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { hasLeavesToSplit } from '../../../harness/boot/record-splits.ts';
import type { LeafRun } from '../../../src/vmsa/types.ts';
import { CONT, linearStart, prot, run } from '../../diff/synthetic.ts';

const MiB = 2 ** 20;
const textBase = 0xffff_8000_8000_0000n;
const symbols = { textBase, address: () => textBase + 0x40_0000n };
const image = { pa: 0x4020_0000, slide: 0n };
const linear = (pa: number, size: number, attributes: bigint, more: Partial<LeafRun> = {}) =>
  run(linearStart + BigInt(pa), pa, size, attributes, more);
const block = { level: 2 } as const;

t.test(
  'requests to split are recorded where the tables have something to split, whoever says what of it',
  async (t) => {
    const pages = linear(0x4000_0000, 512 * MiB, prot.data);
    const asked = (leaves: LeafRun[]) =>
      hasLeavesToSplit({ ttbr1: { leaves, tables: [], malformed: [] } }, image, symbols);
    t.notOk(asked([pages]), 'pages can get no finer');
    t.notOk(
      asked([pages, run(textBase, image.pa, 4 * MiB, prot.text, block)]),
      'nor does the image',
    );
    t.notOk(asked([linear(image.pa, 4 * MiB, prot.data, block), pages]), 'nor does its alias');
    t.ok(asked([linear(image.pa, 6 * MiB, prot.data, block)]), 'behind __init_begin is memory');
    t.ok(asked([pages, linear(0x6000_0000, 2 * MiB, prot.data, block)]), 'a block');
    t.ok(asked([pages, linear(0x6000_0000, 64 * 1024, prot.data | CONT)]), 'contiguous pages');
  },
);
