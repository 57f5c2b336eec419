// SPDX-License-Identifier: GPL-2.0-only
import { openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { RecordingWitness } from '../../../harness/boot/recording-witness.ts';
import { openRam } from '../../../harness/emulator/ram-file.ts';
import { RecordingFile, recordingRoom } from '../../../harness/emulator/recorder/recording-file.ts';
import type { Capture } from '../../../src/evidence/capture.ts';
import { RAM_BASE } from '../../../src/scenario/memory.ts';
import { Events, kinds } from '../../evidence/recorded-events.ts';
import { tableOf } from '../../linux/slices.ts';

const kernel = { symbols: tableOf([], 0xffff_8000_8000_0000n), slide: 0n, vmemmap: 0n };

/** A recorder that the test plays itself, and the witness of what it writes. */
function played(t: Test): {
  witness: RecordingWitness;
  write(bytes: Uint8Array, full?: bigint): void;
} {
  const folder = t.testdir();
  const ram = join(folder, 'ram');
  writeFileSync(ram, Buffer.alloc(0x4000));
  const path = join(folder, 'events');
  const file = new RecordingFile(path);
  const opened = openRam(ram, RAM_BASE);
  t.teardown(() => {
    file.close();
    opened.close();
  });
  const descriptor = openSync(path, 'r+');
  let head = 0;
  return {
    witness: new RecordingWitness(file, { functions: [], text: '' }, opened),
    write: (bytes, full = 0n) => {
      writeSync(descriptor, bytes, 0, bytes.length, 4096 + head);
      head += bytes.length;
      const header = Buffer.alloc(24);
      header.write('ptdrec01', 'latin1');
      header.writeBigUInt64LE(BigInt(head), 8);
      header.writeBigUInt64LE(full, 16);
      writeSync(descriptor, header, 0, header.length, 0);
    },
  };
}
const moment = { checkpoint: 'paging_init', cpus: [] as Capture['cpus'] } as const;
/** A table of level 3 at the start of RAM, with one entry. */
const table = (entry: bigint) => new Events().add(kinds.table, 0, 4, 1, 512, 1, 0, entry).bytes;

t.test('a table that is not what RAM holds: the recording is kept, and said to be wrong', (t) => {
  const { witness, write } = played(t);
  write(table(0x40000003n));
  witness.reach(moment);
  write(new Events().add(kinds.cpu, 1).bytes);
  const { recording, recordingFault, unseen } = witness.end(kernel, RAM_BASE);
  t.match(
    recordingFault,
    /^The recorder missed a store before paging_init: entry 0 of the level 3 table at 0x40000000; run the case with --no-record\.$/,
  );
  t.same(recording?.moments, [{ checkpoint: 'paging_init', bytes: table(0x40000003n).length }]);
  t.equal(recording?.events.length, table(0x40000003n).length + 2, 'also what came after it');
  t.equal(unseen, undefined);
  t.end();
});

t.test('what is no event is kept, too', (t) => {
  const { witness, write } = played(t);
  write(Uint8Array.from([99, 99, 99]));
  const { recording, recordingFault } = witness.end(kernel, RAM_BASE);
  t.equal(recordingFault, 'The recording cannot be read: there is no event 99.');
  t.equal(recording?.events.length, 3);
  t.end();
});

t.test('a recorder that finds itself wrong says in what', (t) => {
  for (const [why, sentence] of [
    [1, /lost count of the functions that a task is in/],
    [2, /missed a switch from one task to another/],
    [3, /missed a TLB invalidation/],
  ] as const) {
    const { witness, write } = played(t);
    write(new Events().add(kinds.odd, why).bytes);
    t.match(witness.end(kernel, RAM_BASE).recordingFault, sentence);
  }
  t.end();
});

t.test('a guest that fills the file is not recorded, which is no fault', (t) => {
  const { witness, write } = played(t);
  write(table(0n));
  witness.reach(moment);
  write(new Events().add(kinds.cpu, 1).bytes, 1n);
  witness.reach(moment);
  t.same(witness.end(kernel, RAM_BASE), {
    unseen: [
      {
        what: 'recording',
        why: `they took more than the ${recordingRoom} bytes that a recording may have`,
      },
    ],
  });
  t.end();
});

t.test('a recorder that never began', (t) => {
  const { witness } = played(t);
  const { recordingFault } = witness.end(kernel, RAM_BASE);
  t.equal(recordingFault, 'The recorder did not begin to record.');
  t.end();
});
