// SPDX-License-Identifier: GPL-2.0-only
/**
 * Reads reports that are written here field by field, as guest/monitor/report.h has them; real
 * ones: test/guest.
 */

import t from 'tap';
import { decodeCalls, decodeReport } from '../../src/evidence/decode-monitor-report.ts';
import { sizedRange } from '../../src/linux/physical-range.ts';

const base = 0x80000000;
const memory = { base, size: 0x600000 };
const [report, aborts, calls, ripas] = [0x100000, 0x140000, 0x180000, 0x500000];

function begun(): DataView {
  const view = new DataView(new ArrayBuffer(memory.size));
  new Uint8Array(view.buffer, report).set(new TextEncoder().encode('PTDMONR1'));
  view.setUint32(report + 0x08, 1, true);
  view.setUint32(report + 0x0c, 1, true);
  view.setUint32(report + 0x10, 1, true);
  view.setUint32(report + 0x14, 41, true);
  view.setUint32(report + 0x18, 0b101, true);
  view.setUint32(report + 0x1c, 2, true);
  const u64 = (at: number, value: number) => view.setBigUint64(report + at, BigInt(value), true);
  for (const [index, value] of [0x40000000, 0x3000, 0x50000000, 0x2000].entries())
    u64(0x20 + 8 * index, value);
  u64(0xa0, base + ripas);
  u64(0xa8, 5);
  u64(0xc0 + 8 * 7, 12);
  u64(0x110 + 8 * 7, 2);
  new Uint8Array(view.buffer, ripas).set([1, 0, 0, 0, 2]);
  return view;
}

function decode(view: DataView) {
  return decodeReport((address, bytes) => new Uint8Array(view.buffer, address - base, bytes), base);
}

t.test('the header and the RIPAS', async (t) => {
  const read = decode(begun());
  t.match(read, {
    state: 'running',
    world: 'realm',
    ipaBits: 41,
    cpusEntered: [0, 2],
    lastWords: '',
  });
  t.same(read?.rsi.IPA_STATE_SET, { calls: 12, refused: 2 });
  t.same(read?.ripas, [
    { ...sizedRange(0x40000000, 0x1000), ripas: 'RAM' },
    { ...sizedRange(0x40001000, 0x2000), ripas: 'EMPTY' },
    { ...sizedRange(0x50000000, 0x1000), ripas: 'EMPTY' },
    { ...sizedRange(0x50001000, 0x1000), ripas: 'DESTROYED' },
  ]);
});

t.test('rings that went round begin with the oldest record that is left', async (t) => {
  const view = begun();
  view.setBigUint64(report + 0x190, 4098n, true);
  view.setBigUint64(report + 0x198, 16385n, true);
  for (let slot = 0; slot < 4096; slot++) {
    view.setBigUint64(aborts + 64 * slot + 0x10, BigInt(slot < 2 ? 4096 + slot : slot), true);
  }
  view.setUint8(aborts + 0x36, 2);
  view.setUint8(aborts + 0x37, 1);
  view.setBigUint64(calls + 0x10, 0xc4000197n, true);
  view.setBigUint64(calls + 128, 2n, true);
  const read = decode(view);
  t.same(
    [read?.totalAborts, read?.aborts.length, read?.totalCalls, read?.calls.length],
    [4098, 4096, 16385, 16384],
  );
  t.same([read?.aborts[0]?.ipa, read?.aborts.at(-1)?.ipa], [2, 4097]);
  t.match(read?.aborts.at(-2), {
    ipa: 4096,
    kind: 'alias of RAM that is not shared',
    ripas: 'RAM',
  });
  t.equal(read?.calls.at(-1)?.rsi, 'IPA_STATE_SET');
  t.equal(read?.calls[0]?.rsi, undefined);
});

t.test(
  'calls are read from where the last reading ended; those that are lost are counted',
  async (t) => {
    const view = begun();
    for (let slot = 0; slot < 16384; slot++) {
      const number = slot < 3 ? 16384 + slot : slot;
      view.setBigUint64(calls + 128 * slot, BigInt(number + 1), true);
      view.setBigUint64(calls + 128 * slot + 0x10, BigInt(number), true);
    }
    const since = (first: number, total = 16387) => {
      const { calls: read, lost } = decodeCalls(
        (address, bytes) => new Uint8Array(view.buffer, address - base, bytes),
        base,
        { first, total },
      );
      return [read.map(({ function: number }) => Number(number)), lost] as const;
    };
    t.same(since(16384), [[16384, 16385, 16386], 0]);
    t.same(since(16387), [[], 0]);
    t.same(since(0)[1], 3, 'the ring keeps 16384');
    t.same(since(3)[0].length, 16384);
    view.setBigUint64(calls + 128 * 3, 0n, true);
    const [written, lost] = since(3);
    t.same([written[0], lost], [4, 1], 'a record that is just written over is lost');
  },
);

t.test('memory without a report, or with one of another version', async (t) => {
  const [none, other] = [new DataView(new ArrayBuffer(memory.size)), begun()];
  other.setUint32(report + 0x08, 2, true);
  t.same([decode(none), decode(other)], [undefined, undefined]);
});

t.test('last words', async (t) => {
  const view = begun();
  view.setUint32(report + 0x0c, 2, true);
  new Uint8Array(view.buffer, report + 0x1a0).set(new TextEncoder().encode('alas'));
  t.match(decode(view), { state: 'panic', lastWords: 'alas' });
});
