// SPDX-License-Identifier: GPL-2.0-only

import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { RsiRecorder } from '../../../harness/boot/record-rsi.ts';
import { openRam } from '../../../harness/emulator/ram-file.ts';
import { sizedRange, sizeOf } from '../../../src/linux/physical-range.ts';

const memory = sizedRange(0x8000_0000, 4 << 20);
/** guest/monitor/layout.h and report.h. */
const [ring, capacity, bytes] = [0x18_0000, 16384, 128];
const [ipaStateSet, psciVersion] = [0xc400_0197, 0x8400_0000];

t.test(
  'calls to the RMM are read once each, with the checkpoint that they come before; what the ring lost is counted',
  (t) => {
    const path = join(t.testdir(), 'ram');
    writeFileSync(path, Buffer.alloc(sizeOf(memory)));
    const file = openSync(path, 'r+');
    const ram = openRam(path, [{ ...memory, offset: 0 }]);
    t.teardown(() => [ram.close(), closeSync(file)]);
    let total = 0;
    /** The monitor records a call. */
    const call = (number: number, argument: number) => {
      const record = Buffer.alloc(bytes);
      record.writeBigUInt64LE(BigInt(total + 1), 0);
      record.writeBigUInt64LE(BigInt(number), 0x10);
      record.writeBigUInt64LE(BigInt(argument), 0x18);
      writeSync(file, record, 0, bytes, ring + (total++ % capacity) * bytes);
    };
    const places = { image: 0, initramfs: 0, deviceTree: 0, memory: sizeOf(memory) };
    const recorder = new RsiRecorder({
      flash: new Uint8Array(),
      places,
      memory,
      overrides: [],
      ram,
    });
    const read = () =>
      recorder.record.calls.map(({ rsi, arguments: [first], before }) => [
        rsi,
        Number(first),
        before,
      ]);

    call(psciVersion, 0);
    call(ipaStateSet, 1);
    recorder.readUpTo('free_initmem', { totalCalls: total });
    recorder.readUpTo('init', { totalCalls: total });
    t.same(read(), [['IPA_STATE_SET', 1, 'free_initmem']]);
    call(ipaStateSet, 2);
    recorder.readUpTo('init', { totalCalls: total });
    t.same(read().at(-1), ['IPA_STATE_SET', 2, 'init']);
    t.equal(recorder.record.lost, 0);
    for (let index = 0; index < capacity + 5; index++) call(psciVersion, 0);
    call(ipaStateSet, 3);
    recorder.readUpTo('init', { totalCalls: total });
    t.same(read().at(-1), ['IPA_STATE_SET', 3, 'init']);
    t.same([recorder.record.calls.length, recorder.record.lost], [3, 6]);
    t.end();
  },
);
