// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { decodeMemoryType, memoryType, memoryTypeOfWords } from '../../src/vmsa/memory-type.ts';
import { stage1Regime } from '../../src/vmsa/regime.ts';

t.test('names of the types that Linux uses, and of the rest', (t) => {
  const names: [number, string][] = [
    [0x00, 'Device-nGnRnE'],
    [0x04, 'Device-nGnRE'],
    [0x08, 'Device-nGRE'],
    [0x0c, 'Device-GRE'],
    [0x05, 'Device-nGnRE-nXS'],
    [0x44, 'Normal-NC'],
    [0xff, 'Normal-WB'],
    [0xf0, 'Normal-Tagged'],
    [0xbb, 'Normal-WT'],
    [0x40, 'Normal-NC-nXS'],
    [0xa0, 'Normal-WT-nXS'],
    [0x77, 'Normal-WB-transient'],
    [0xee, 'Normal-WB(RA)'],
    [0xdd, 'Normal-WB(WA)'],
    [0xcc, 'Normal-WB(noalloc)'],
    [0x4f, 'Normal-iWB-oNC'],
    [0xf4, 'Normal-iNC-oWB'],
  ];
  for (const [encoding, name] of names)
    t.equal(decodeMemoryType(encoding).name, name, `0x${encoding.toString(16)}`);
  t.end();
});

t.test("every byte is a device, normal or reserved type by the architecture's rules", (t) => {
  let reserved = 0;
  for (let encoding = 0; encoding < 256; encoding++) {
    const { kind } = decodeMemoryType(encoding);
    const [outer, inner] = [encoding >> 4, encoding % 16];
    if (kind === 'reserved') reserved++;
    if (outer === 0) t.equal(kind, inner % 4 < 2 ? 'device' : 'reserved', `${encoding}`);
    else if (inner > 0) t.equal(kind, 'normal', `${encoding}`);
  }
  t.equal(reserved, 8 + 12, 'half of 0b0000xxxx, and twelve of the fifteen 0bxxxx0000');
  t.match(decodeMemoryType(0x02), { kind: 'reserved', name: 'reserved(0x02)', encoding: 2 });
  t.end();
});

t.test('policies', (t) => {
  t.match(decodeMemoryType(0xf0), {
    tagged: true,
    xs: true,
    inner: { write: 'write-back', transient: false },
  });
  t.match(decodeMemoryType(0xff), {
    tagged: false,
    xs: true,
    outer: { readAllocate: true, writeAllocate: true },
  });
  t.match(decodeMemoryType(0x6a), {
    outer: { write: 'write-back', transient: true, readAllocate: true, writeAllocate: false },
    inner: { write: 'write-through', transient: false, readAllocate: true, writeAllocate: false },
  });
  const allocating = { write: 'write-through', transient: false, readAllocate: true };
  t.match(decodeMemoryType(0xa0), {
    xs: false,
    tagged: false,
    inner: { ...allocating, writeAllocate: false },
    outer: { ...allocating, writeAllocate: false },
  });
  const uncached = { transient: false, readAllocate: false, writeAllocate: false };
  t.match(decodeMemoryType(0x40), {
    xs: false,
    tagged: false,
    inner: { write: 'non-cacheable', ...uncached },
    outer: { write: 'non-cacheable', ...uncached },
  });
  t.match(decodeMemoryType(0x01), { kind: 'device', ordering: 'nGnRnE', xs: false });
  t.end();
});

t.test('AttrIndx selects the byte, with bit 59 above it only under AIE', (t) => {
  const registers = {
    TTBR0_EL1: 0n,
    TTBR1_EL1: 0n,
    TCR_EL1: 16n,
    MAIR_EL1: 0x0000_0000_0044_f0ffn,
    SCTLR_EL1: 1n,
  };
  const plain = stage1Regime(registers, 'ttbr0');
  const extended = stage1Regime({ ...registers, TCR2_EL1: 16n, MAIR2_EL1: 0xbb00n }, 'ttbr0');
  const name = (regime: typeof plain, attributes: bigint) => {
    const type = memoryType(regime, attributes);
    // A descriptor's other bits, set in its words, do not matter.
    const [lo, hi] = [Number(attributes & 0xffff_ffffn), Number(attributes >> 32n)];
    t.same(memoryTypeOfWords(regime, lo | ~0x1c, hi | ~(1 << 27)), type);
    t.same(memoryType(regime, attributes | (BigInt.asUintN(64, ~0x1cn) & ~(1n << 59n))), type);
    return type.name;
  };
  t.same(
    [0n, 4n, 8n, 12n].map((bits) => name(plain, bits)),
    ['Normal-WB', 'Normal-Tagged', 'Normal-NC', 'Device-nGnRnE'],
  );
  const high = 1n << 59n;
  t.equal(name(plain, high | 4n), 'Normal-Tagged');
  t.equal(name(extended, high | 4n), 'Normal-WT');
  t.equal(name(extended, 4n), 'Normal-Tagged');
  t.end();
});
