// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import { accessOf } from '../../../src/diff/access.ts';
import { LeafRights, outputOf, right } from '../../../src/diff/instants/leaf-rights.ts';
import { isLeaf } from '../../../src/vmsa/descriptor.ts';
import { descriptorLayouts, outputAddress } from '../../../src/vmsa/descriptor-layout.ts';
import { stage1Regime } from '../../../src/vmsa/regime.ts';
import { given } from '../../given.ts';
import { registers, run } from '../synthetic.ts';

/** With permission indirection as Linux sets it (PIE_E1, arch/arm64/include/asm/pgtable-prot.h). */
const indirect = {
  ...registers,
  TCR2_EL1: 2n,
  PIR_EL1: 0xcc88_0e0a_c080_0000n,
  PIRE0_EL1: 0xcc88_0e0a_c080_0000n,
};
const dirty = { ...registers, TCR_EL1: registers.TCR_EL1 | (3n << 39n) };

t.test('rights are those of the descriptor, whatever its other bits are', (t) => {
  for (const each of [registers, indirect, dirty]) {
    const regime = stage1Regime(each, 'ttbr1');
    const rights = new LeafRights(regime);
    fc.assert(
      fc.property(fc.bigInt(0n, (1n << 64n) - 1n), fc.nat(31), (descriptor, tableAttributes) => {
        const leaf = { ...run(0n, 0, 4096, descriptor), tableAttributes };
        const { el1, el0 } = accessOf(regime, leaf);
        const low = Number(descriptor & 0xffff_ffffn);
        const got = rights.of(low, Number(descriptor >> 32n), tableAttributes);
        t.equal((got & right.write) !== 0, el1.write || el0.write);
        t.equal((got & right.execute) !== 0, el1.execute || el0.execute);
        t.equal((got & right.userWrite) !== 0, el0.write);
      }),
    );
  }
  t.end();
});

t.test('output addresses of all levels', (t) => {
  const layouts = descriptorLayouts(stage1Regime(registers, 'ttbr1'));
  fc.assert(
    fc.property(fc.bigInt(0n, (1n << 64n) - 1n), fc.constantFrom(1, 2, 3), (any, level) => {
      const layout = given(layouts.get(level as 1 | 2 | 3));
      const size = BigInt(2 ** layout.shift);
      // Address bits below the size of a block are 0, but for nT.
      const descriptor = (any & ~(size - 1n)) | (any & 0xfffn) | (level < 3 ? any & 0x10000n : 0n);
      const [low, high] = [Number(descriptor & 0xffff_ffffn), Number(descriptor >> 32n)];
      t.equal(outputOf(level, low, high), outputAddress(layout, low, high));
    }),
  );
  t.end();
});

t.test('a page or a block, but no table and no reserved descriptor', (t) => {
  const leaves = [0, 1, 2, 3].flatMap((level) =>
    [0, 1, 2, 3].filter((low) => isLeaf({ low }, level)).map((low) => [level, low]),
  );
  t.same(leaves, [
    [0, 1],
    [1, 1],
    [2, 1],
    [3, 3],
  ]);
  t.end();
});
