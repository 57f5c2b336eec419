// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readRecording } from '../../results/recording-file.ts';
import { followRecording } from '../../src/evidence/follow-recording.ts';
import {
  between,
  formatLife,
  formatTimeline,
  type Interval,
  timelineOf,
} from '../../src/report/timeline.ts';
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
  const { reader } = followRecording(recording);
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

t.test('what happened between any two instants, summed up by who did it', (t) => {
  const deed = (by: string, made: number, broken: number) => {
    return { by, made, broken, changed: 0, split: 0, other: 0, invalidations: broken };
  };
  const intervals: Interval[] = [
    { before: 'paging_init', deeds: [deed('one', 9, 0), deed('other', 2, 1)] },
    { before: 'smp_cpus_done', deeds: [deed('other', 5, 0)] },
    { before: 'init', deeds: [deed('other', 1, 2), deed('third', 1, 0)] },
  ];
  t.same(between(intervals, 'the start', 'smp_cpus_done'), {
    before: 'smp_cpus_done',
    deeds: [deed('one', 9, 0), deed('other', 7, 1)],
  });
  t.same(between(intervals, 'paging_init', 'the end'), {
    before: 'init',
    deeds: [deed('other', 6, 2), deed('third', 1, 0)],
  });
  t.throws(() => between(intervals, 'init', 'paging_init'), {
    fault: 'usage',
    message: 'init is not before paging_init: --from comes first, then --to.',
  });
  t.throws(() => between(intervals, 'free_initmem', 'init'), {
    message:
      'The recording does not have free_initmem; it has the start, paging_init, smp_cpus_done, init.',
  });
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
