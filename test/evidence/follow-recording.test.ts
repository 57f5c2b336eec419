// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import t from 'tap';
import { readRecording } from '../../results/recording-file.ts';
import type { Recording } from '../../src/evidence/capture.ts';
import { followRecording, type RecordedOperation } from '../../src/evidence/follow-recording.ts';
import { LinkedTables } from '../../src/evidence/recorded-tables.ts';
import { RecordingReader } from '../../src/evidence/recording-reader.ts';
import { first } from '../../src/present.ts';
import { stage1Regime } from '../../src/vmsa/regime.ts';
import { type RamReader, walk } from '../../src/vmsa/walk.ts';
import { given } from '../given.ts';

// 6.12.117+deb13-arm64, max, up to paging_init.
const recording = given(readRecording(join(import.meta.dirname, '../report/fixtures/recording')));

/**
 * The operations of these names, in the order in which they returned. What had not returned when
 * the recording ended comes last.
 */
function recordedOperations(recording: Recording, names: ReadonlySet<string>): RecordedOperation[] {
  const done: RecordedOperation[] = [];
  const open = new Set<RecordedOperation>();
  followRecording(recording, {
    entered: (operation) => {
      if (names.has(operation.name)) open.add(operation);
    },
    left: (operation) => {
      if (open.delete(operation)) done.push(operation);
    },
  });
  return [...done, ...open];
}

/** The linked tables of a recording by their addresses, as its reader has them at a moment. */
function ramOf({ tables }: Pick<RecordingReader, 'tables'>): RamReader {
  const linked = new LinkedTables();
  for (const table of tables.values()) linked.linked(table);
  return {
    // A walk enters no table twice but through entries that lead to the same one.
    size: 2 ** 40,
    table: (pa, bytes) => {
      const words = linked.at(pa)?.words;
      return words && words.byteLength >= bytes ? words.subarray(0, bytes / 4) : undefined;
    },
  };
}

/**
 * Reads a recording up to a moment.
 * @param bytes of events, as in Recording.moments
 */
function tablesAt({ functions, ramBase, events }: Recording, bytes: number): RecordingReader {
  const reader = new RecordingReader(functions, ramBase);
  reader.read(events.subarray(0, bytes));
  return reader;
}

t.test('operations with their arguments, times and stores', (t) => {
  const names = new Set(['__create_pgd_mapping_locked', 'paging_init']);
  const operations = recordedOperations(recording, names);
  const creates = operations.filter(({ name }) => name === '__create_pgd_mapping_locked');
  t.ok(creates.length > 0);
  for (const { args, parent, cpu, entered, returned, before } of creates) {
    t.equal(args.length, 7);
    t.match(parent, { name: /^__create_pgd_mapping$/ });
    t.equal(cpu, 0);
    t.ok(given(returned) >= entered);
    t.equal(before, 'paging_init');
  }
  const inAll = operations.reduce((sum, { stores }) => sum + stores, 0);
  let stores = 0;
  followRecording(recording, {
    store: (_table, _index, _low, _high, { operation }) => {
      if (operation && names.has(operation.name)) stores++;
    },
  });
  t.equal(inAll, stores);
  t.ok(stores > 200_000);
  t.end();
});

t.test('what a walk finds at a moment', (t) => {
  const { bytes } = first(recording.moments);
  const reader = tablesAt(recording, bytes);
  const roots = [...reader.tables.values()].filter(({ level, upper }) => upper && level <= 0);
  const root = given(roots.find(({ words }) => words.some((word) => word !== 0)));
  // TCR_EL1 and MAIR_EL1 as this kernel sets them on this CPU: 52 bits, LPA2.
  const regime = stage1Regime(
    {
      TTBR0_EL1: 0n,
      TTBR1_EL1: BigInt(root.pa),
      TCR_EL1: 0x800_0000_0000_0000n | (6n << 32n) | (2n << 30n) | (12n << 16n),
      MAIR_EL1: 0x40044ffffn,
      SCTLR_EL1: 1n,
    },
    'ttbr1',
  );
  const { leaves, tables, malformed } = walk(regime, ramOf(reader));
  t.same(malformed, []);
  const upper = [...reader.tables.values()].filter((table) => table.upper);
  t.ok(tables.length > 500 && tables.length <= upper.length);
  const size = leaves.reduce((sum, leaf) => sum + leaf.size, 0);
  t.ok(size > 2 ** 30, 'the linear map is there');
  t.end();
});
