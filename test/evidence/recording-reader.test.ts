// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { RecordingReader } from '../../src/evidence/recording-reader.ts';
import { given } from '../given.ts';
import { Events, kinds } from './recorded-events.ts';

const ram = 0x4000_0000;
const listed = [{ arguments: 2, returns: true }];

t.test('events have the numbers of recorder.h', (t) => {
  const header = join(import.meta.dirname, '../../harness/emulator/recorder/recorder.h');
  const [, list = ''] = /enum event \{([^}]*)\}/.exec(readFileSync(header, 'utf8')) ?? [];
  const names = [...list.matchAll(/EV_(\w+)/g)].map(([, name]) => given(name).toLowerCase());
  t.match(list, /EV_CPU = 1,/);
  t.same(Object.fromEntries(names.map((name, index) => [name, index + 1])), kinds);
  t.end();
});

t.test('a table is linked, stored to and unlinked', (t) => {
  const told: unknown[] = [];
  const reader: RecordingReader = new RecordingReader(listed, ram, {
    store: (table, index, low, high) => told.push([table.id, index, low, high, reader.cpu]),
    unlink: ({ pa, level, upper }) => told.push([pa, level, upper]),
    tlbi: (operand) => told.push(operand),
  });
  const events = new Events()
    .add(kinds.site)
    .change(0xffff_8000_8000_0000n)
    .add(0xf9000000)
    // At 0x40001000, a root of level -1 of 16 entries, one of which is used.
    .add(kinds.table, 0x1000 / 8, 0, 1, 16, 1, 3, 0x12345678_9abcdef0n)
    .add(kinds.cpu, 2, kinds.time, 1500, kinds.store, 1)
    .change(1n)
    .change(3n)
    .change(-1n)
    .add(kinds.tlbi, 1)
    .change(5n);
  reader.read(events.bytes);
  t.same(given(reader.tables.get(1)).words.slice(6, 8), [0xffff_ffff, 0xffff_ffff]);
  reader.read(new Events().add(kinds.unlink, 1).bytes);
  t.same(told, [[1, 3, 0xffff_ffff, 0xffff_ffff, 2], 4n, [0x4000_1000, -1, true]]);
  t.equal(reader.time, 1500);
  t.equal(reader.tables.size, 0);
  t.same(given(reader.sites[1]), { pc: 0xffff_8000_8000_0000n, insn: 0xf9000000 });
  t.same(reader.counts, { site: 1, table: 1, cpu: 1, time: 1, store: 1, tlbi: 1, unlink: 1 });
  t.end();
});

t.test('a call tells its arguments by what they differ from the last time', (t) => {
  const told: unknown[] = [];
  const reader = new RecordingReader(listed, ram, {
    enter: ({ listed, caller }, args) => told.push([listed, caller, ...args]),
    leave: (_, result) => told.push(result),
  });
  const events = new Events().add(kinds.call, 0).change(0x1000n);
  for (let turn = 0; turn < 2; turn++)
    events.add(kinds.enter, 1).change(7n).change(-1n).add(kinds.leave, 1).change(2n);
  reader.read(events.bytes);
  const most = (1n << 64n) - 1n;
  t.same(told, [[0, 0x1000n, 7n, most], 2n, [0, 0x1000n, 14n, most - 1n], 4n]);
  t.end();
});

t.test('any number of 64 bits is read as it was written', (t) => {
  fc.assert(
    fc.property(fc.array(fc.bigInt(0n, (1n << 64n) - 1n), { maxLength: 30 }), (values) => {
      const events = new Events()
        .add(kinds.table, 0, 4, 0, values.length + 1, values.length)
        .add(...values.flatMap((value, index) => [index === 0 ? 0 : 1, value]));
      const reader = new RecordingReader([], ram);
      reader.read(events.bytes);
      const { words } = given(reader.tables.get(1));
      const read = values.map(
        (_, index) =>
          (BigInt(given(words[2 * index + 1])) << 32n) | BigInt(given(words[2 * index])),
      );
      t.same(read, values);
    }),
  );
  t.end();
});

t.test('what is damaged is refused in a sentence', (t) => {
  const table = [kinds.table, 0, 4, 0, 4, 0] as const;
  const site = [kinds.site, 0, 0] as const;
  for (const [numbers, why] of [
    [[99], 'there is no event 99'],
    [[kinds.store], 'a number has no end'],
    [[kinds.unlink, 7], 'there is no table 7'],
    [[kinds.tlbi, 3, 0], 'there is no site 3'],
    [[kinds.call, 5, 0], 'it lists no function 5'],
    [[kinds.enter, 1], 'there is no call 1'],
    [[...site, ...table, kinds.store, 1, 2, 8, 0], 'a store is outside its table'],
    [[...site, ...table, kinds.store, 1, 2, 1, 0], 'a store is outside its table'],
  ] as const) {
    const reader = new RecordingReader([], ram);
    t.throws(() => reader.read(new Events().add(...numbers).bytes), {
      fault: 'harness',
      message: `The recording cannot be read: ${why}.`,
    });
  }
  const endless = Uint8Array.from([kinds.cpu, ...new Array(12).fill(0xff)]);
  t.throws(() => new RecordingReader([], ram).read(endless), /a number has no end/);
  t.end();
});
