// SPDX-License-Identifier: GPL-2.0-only
/** The parameter block, field by field as guest/monitor/parameters.h has it. */

import t from 'tap';
import {
  encodeParameters,
  type MonitorParameters,
  monitorFlash,
  monitorMemorySize,
  parametersOffset,
} from '../../guest/monitor-parameters.ts';
import { sizedRange, sizeOf } from '../../src/linux/physical-range.ts';
import { bbmOverride } from '../../src/scenario/id-overrides.ts';
import { idRegisters } from '../../src/scenario/id-registers.ts';

const gib = 2 ** 30;
const regions = [sizedRange(0x40000000, gib)];
const memory = sizedRange(0x80000000, monitorMemorySize(regions));
const plain: MonitorParameters = {
  ...{ world: 'normal', memory, entry: 0x40200000, deviceTree: 0x47e00000, cpus: 2, regions },
};

t.test('fields', async (t) => {
  const block = Buffer.from(
    encodeParameters({
      ...plain,
      ...{
        world: 'realm',
        rme: true,
        ipaBits: 41,
        ripasStep: 7,
        uart: 0x9000000,
        midrs: [undefined, 0x410fd842n],
      },
      described: [sizedRange(0x40000000, 0x3ff00000)],
      destroyed: [sizedRange(0x50000000, 0x2000)],
      personalization: new TextEncoder().encode('me'),
      overrides: [
        bbmOverride([0, 2], 3),
        { cpus: [1], register: idRegisters.ID_AA64PFR0_EL1, mask: 1n, value: 3n },
      ],
    }),
  );
  const u32 = (at: number) => block.readUInt32LE(at);
  const u64 = (at: number) => block.readBigUInt64LE(at);
  t.equal(block.toString('latin1', 0, 8), 'PTDMONP1');
  t.same([u32(8), u32(0x0c), u32(0x10), u32(0x14)], [2, 0xb20, 1, 41]);
  t.same([u64(0x18), u64(0x20)], [0x80000000n, BigInt(sizeOf(memory))]);
  t.same([u64(0x28), u64(0x30)], [0x40200000n, 0x47e00000n]);
  t.same([u32(0x38), u32(0x3c), u32(0x40), u32(0x44), u32(0x48), u32(0x4c)], [2, 1, 2, 1, 7, 1]);
  const root = u64(0x50);
  t.ok(root > u64(0x18) && root < u64(0x18) + u64(0x20), 'EL3 has a part of the memory');
  t.equal(root % 0x200000n, 0n);
  t.equal(u64(0x58), 0x9000000n);
  t.equal(block.toString('latin1', 0x60, 0x64), 'me\0\0');
  t.same([u64(0xa0), u64(0xa8), u64(0xb0)], [0x40000000n, BigInt(gib), 0n]);
  t.same([u64(0x120), u64(0x128)], [0x50000000n, 0x2000n]);
  t.same([u64(0x160), u64(0x168)], [0n, 0x410fd842n]);
  t.same([u32(0x1a0), u32(0x1a4), u64(0x1a8), u64(0x1b0)], [5, 0xc03a, 0xfn << 52n, 3n << 52n]);
  t.same([u64(0xaa0), u64(0xaa8), u64(0xab0)], [0x40000000n, 0x3ff00000n, 0n]);
  t.same([u32(0x1b8), u32(0x1bc), u64(0x1c0), u64(0x1c8)], [2, 0xc020, 1n, 1n]);
});

t.test('the guest knows all of its RAM where nothing else is said', async (t) => {
  const block = Buffer.from(encodeParameters(plain));
  t.equal(block.readUInt32LE(0x4c), 1);
  t.same([block.readBigUInt64LE(0xaa0), block.readBigUInt64LE(0xaa8)], [0x40000000n, BigInt(gib)]);
});

t.test('at EL2 there is no Root memory, and one CPU no MIDR', async (t) => {
  const block = Buffer.from(encodeParameters(plain));
  t.equal(block.readUInt32LE(0x10), 0);
  t.equal(block.readBigUInt64LE(0x50), 0n);
  t.equal(block.readBigUInt64LE(0x160), 0n);
});

t.test('the flash image', async (t) => {
  const code = Uint8Array.of(1, 2, 3);
  const flash = monitorFlash(code, plain);
  t.same(flash.subarray(0, 4), Uint8Array.of(1, 2, 3, 0));
  t.same(flash.subarray(parametersOffset), encodeParameters(plain));
  t.throws(() => monitorFlash(new Uint8Array(parametersOffset + 1), plain), /code has 65537 bytes/);
});

t.test('too much of anything is refused', async (t) => {
  t.throws(() => encodeParameters({ ...plain, cpus: 9 }), /8 cpus, not 9/);
  t.throws(
    () => encodeParameters({ ...plain, regions: Array(9).fill(regions[0]) }),
    /8 regions, not 9/,
  );
  t.throws(
    () => encodeParameters({ ...plain, described: Array(9).fill(regions[0]) }),
    /8 described, not 9/,
  );
  t.throws(
    () => encodeParameters({ ...plain, destroyed: Array(5).fill(regions[0]) }),
    /4 destroyed/,
  );
  t.throws(
    () => encodeParameters({ ...plain, overrides: Array(97).fill(bbmOverride([0], 1)) }),
    /96 overrides/,
  );
});

t.test('memory grows with the guest', async (t) => {
  const sizes = [1, 2, 8, 64].map((gibs) =>
    monitorMemorySize([sizedRange(0x40000000, gibs * gib)]),
  );
  t.ok(sizes.every((size, index) => size % 0x200000 === 0 && size > (sizes[index - 1] ?? 0)));
  t.ok((sizes[3] ?? 0) < 0.005 * 64 * gib);
});
