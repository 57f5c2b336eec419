// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import t from 'tap';
import { readRecording } from '../../../results/recording-file.ts';
import type { BootContext } from '../../../src/diff/context.ts';
import { everyInstant } from '../../../src/diff/instants/index.ts';
import { LeafRights, right } from '../../../src/diff/instants/leaf-rights.ts';
import type { Recording } from '../../../src/evidence/capture.ts';
import { followRecording } from '../../../src/evidence/follow-recording.ts';
import type { RecordedTable } from '../../../src/evidence/recording-reader.ts';
import { stage1Regime } from '../../../src/vmsa/regime.ts';
import { goldenCase } from '../../compare/golden-case.ts';
import { Events, kinds } from '../../evidence/recorded-events.ts';
import { given } from '../../given.ts';
import { soundContext } from '../synthetic.ts';

// A boot of debian:6.12 (6.12.117+deb13-arm64) in the scenario max, up to paging_init.
const recording = given(
  readRecording(join(import.meta.dirname, '../../report/fixtures/recording')),
);
// The registers of this CPU with 4K pages; the image is where QEMU puts every one of Debian's.
const { cpus } = given(
  given(goldenCase('7.3.4+deb13-arm64@max+noalias').evidence).captures.find(
    ({ checkpoint }) => checkpoint === 'paging_init',
  ),
);
const { registers } = given(cpus[0]);

function boot(of: Recording): BootContext {
  const context = soundContext({ checkpoint: 'paging_init' });
  for (const cpu of context.capture.cpus) cpu.registers = registers;
  return { ...context, evidence: { ...context.evidence, recording: of } };
}

/** An executable page of the kernel at the end of the recording. */
function someText(): { entry: { table: RecordedTable; index: number }; low: number; high: number } {
  const rights = new LeafRights(stage1Regime(registers, 'ttbr1'));
  for (const table of followRecording(recording).reader.tables.values())
    for (let index = 0; table.upper && table.level === 3 && index < 512; index++) {
      const [low, high] = [given(table.words[2 * index]), given(table.words[2 * index + 1])];
      if (rights.of(low, high) & right.execute) return { entry: { table, index }, low, high };
    }
  throw new Error('The recording has no executable page.');
}

/** The recording, and one more store to an entry before its checkpoint. */
function planted({ table, index }: ReturnType<typeof someText>['entry'], value: bigint): Recording {
  // It names those of the whole boot, of which this is the beginning.
  const site = followRecording(recording).reader.sites.length;
  const more = new Events()
    .add(kinds.site)
    .change(0n)
    .add(0xf9000001)
    .add(kinds.store, site)
    .change(BigInt(table.id))
    .change(BigInt(index))
    .change(value).bytes;
  const events = Buffer.concat([recording.events, more]);
  return {
    ...recording,
    sites: recording.sites.toSpliced(site, 1, 'planted+0x4'),
    moments: [{ checkpoint: 'paging_init', bytes: events.length }],
    events,
  };
}

t.test('nothing is wrong at any instant of a real boot', (t) => {
  t.same(everyInstant(boot(recording)), []);
  t.end();
});

t.test('one store that makes a page of it writable and executable is found', (t) => {
  const { entry, low, high } = someText();
  // PTE_WRITE: with permission indirection it makes PAGE_KERNEL_EXEC of PAGE_KERNEL_ROX.
  const value = (BigInt((high | (1 << 19)) >>> 0) << 32n) | BigInt((low & ~(1 << 7)) >>> 0);
  const found = everyInstant(boot(planted(entry, value)));
  t.same(
    found.map(({ id }) => id),
    [
      'invariant/write-xor-execute/writable-executable/during@paging_init',
      'invariant/kernel-text-read-only/text-writable/during@paging_init',
    ],
  );
  t.match(given(found[0]).detail, /EL1 rwx[\s\S]*CPU 0: planted\+0x4/);
  t.end();
});
