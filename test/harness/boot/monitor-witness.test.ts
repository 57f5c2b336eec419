// SPDX-License-Identifier: GPL-2.0-only

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  monitorHasPanicked,
  throwMonitorPanic,
  viewOfMonitor,
} from '../../../harness/boot/monitor-witness.ts';
import { openRam } from '../../../harness/emulator/ram-file.ts';
import { sizedRange } from '../../../src/linux/physical-range.ts';

const base = 0x8000_0000;
const size = 4 << 20;
/** guest/monitor/layout.h and report.h. */
const report = 0x10_0000;

/**
 * A monitor whose RAM holds a report with these fields: 32-bit values by offset, and its last
 * words.
 */
function monitorWith(t: Test, fields: Record<number, number>, lastWords = '') {
  const bytes = Buffer.alloc(size);
  bytes.write('PTDMONR1', report, 'latin1');
  for (const [offset, value] of Object.entries(fields)) {
    bytes.writeUInt32LE(value, report + Number(offset));
  }
  bytes.write(lastWords, report + 0x1a0, 'latin1');
  const path = join(t.testdir(), 'ram');
  writeFileSync(path, bytes);
  const memory = sizedRange(base, size);
  const ram = openRam(path, [{ ...memory, offset: 0 }]);
  t.teardown(() => ram.close());
  const places = { image: 0, initramfs: 0, deviceTree: 0, memory: size };
  return { flash: new Uint8Array(), places, memory, overrides: [], ram };
}

t.test('a monitor that runs is no hindrance, and of many aborts the newest are kept', (t) => {
  const monitor = monitorWith(t, { 8: 1, 12: 1, 16: 1, 20: 40, 400: 1000 });
  t.notOk(monitorHasPanicked(monitor));
  t.doesNotThrow(() => throwMonitorPanic(monitor));
  const { world, ipaBits, totalAborts, aborts } = viewOfMonitor(monitor);
  t.same([world, ipaBits, totalAborts, aborts.length], ['realm', 40, 1000, 256]);
  t.end();
});

t.test('a monitor that could not go on is the fault of the harness', (t) => {
  const monitor = monitorWith(t, { 8: 1, 12: 2 }, 'this CPU has no such IPA size: 0x30');
  t.ok(monitorHasPanicked(monitor));
  t.throws(() => throwMonitorPanic(monitor), {
    fault: 'harness',
    message: 'The realm monitor could not continue: this CPU has no such IPA size: 0x30.',
  });
  t.end();
});

t.test('so is a monitor that never began', (t) => {
  const monitor = monitorWith(t, { 8: 99 });
  t.notOk(monitorHasPanicked(monitor));
  t.throws(() => viewOfMonitor(monitor), { fault: 'harness', message: /wrote no report/ });
  t.end();
});
