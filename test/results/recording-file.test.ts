// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readRecording, writeRecording } from '../../results/recording-file.ts';

const recording = {
  functions: [{ name: 'set_memory_ro', role: 'operation', arguments: 2, returns: true }] as const,
  ramBase: 0x4000_0000,
  moments: [{ checkpoint: 'paging_init', bytes: 3 }] as const,
  sites: ['0x0', 'set_pte+0x10'],
  callers: ['mark_rodata_ro+0x4'],
  events: Uint8Array.from([10, 0, 200, 10]),
};

t.test('a recording is read as it was written', (t) => {
  const folder = t.testdir();
  t.equal(readRecording(folder), undefined, 'there is none yet');
  writeRecording(folder, {
    ...recording,
    functions: [...recording.functions],
    moments: [...recording.moments],
  });
  const read = readRecording(folder);
  t.same({ ...read, events: Uint8Array.from(read?.events ?? []) }, recording);
  t.end();
});

t.test('a damaged one ends in a sentence that names the file', (t) => {
  const folder = t.testdir();
  writeRecording(folder, {
    ...recording,
    functions: [...recording.functions],
    moments: [...recording.moments],
  });
  const path = join(folder, 'recording.zst');
  const whole = readFileSync(path);
  for (const damaged of [whole.subarray(0, whole.length / 2), Buffer.from('nonsense')]) {
    writeFileSync(path, damaged);
    t.throws(() => readRecording(folder), {
      fault: 'harness',
      message: new RegExp(`^The recording ${path} is damaged: `),
    });
  }
  t.end();
});
