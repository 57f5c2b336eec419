// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readRecording } from '../../results/recording-file.ts';
import { followRecording } from '../../src/evidence/follow-recording.ts';
import { formatLife, formatTimeline, timelineOf } from '../../src/report/timeline.ts';
import { given } from '../given.ts';

// A boot of debian:6.12 (6.12.117+deb13-arm64) in the scenario max, up to paging_init.
const folder = join(import.meta.dirname, 'fixtures', 'recording');
const recording = given(readRecording(folder));
const golden = (name: string) => readFileSync(join(folder, name), 'utf8');
const raw = (_: number, low: number, high: number) =>
  ((BigInt(high) << 32n) | BigInt(low)).toString(16);

t.test('who did what up to the first checkpoint, the busiest first', (t) => {
  const intervals = timelineOf(recording);
  t.equal(formatTimeline(intervals, 4), golden('timeline.txt'));
  t.notMatch(formatTimeline(intervals, 100), /--full/);
  const { reader } = followRecording(recording, {});
  const stores = intervals.flatMap(({ deeds }) =>
    deeds.map(({ made, broken, changed, split, other }) => made + broken + changed + split + other),
  );
  t.equal(
    stores.reduce((sum, count) => sum + count, 0),
    reader.counts.store,
    'every store is counted once',
  );
  t.end();
});

t.test('the life of one entry, with who changed it', (t) => {
  t.equal(formatLife(recording, 0xffff_8000_8001_0000n, raw), golden('life.txt'));
  t.match(
    formatLife(recording, 0xffff_7000_0000_0000n, raw),
    /^Nothing that translates 0xffff700000000000 was changed/,
  );
  t.end();
});
