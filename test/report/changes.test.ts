// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import t from 'tap';
import { readRecording } from '../../results/recording-file.ts';
import { followRecording } from '../../src/evidence/follow-recording.ts';
import { recordedChanges } from '../../src/report/recorded-changes.ts';
import { timelineOf } from '../../src/report/timeline.ts';
import { goldenCase } from '../compare/golden-case.ts';
import { given } from '../given.ts';
import { hostile, pageWith } from './changes-page.ts';
import { attribute, parseStrictly, textOf } from './html-tree.ts';

// A boot of debian:6.12 (6.12.117+deb13-arm64) in the scenario max, up to paging_init.
const recording = given(readRecording(join(import.meta.dirname, 'fixtures', 'recording')));
// The registers of this CPU with 4K pages.
const evidence = given(goldenCase('7.3.4+deb13-arm64@max+noalias').evidence);

t.test('a recording is cut into slices, and nothing of it is lost', (t) => {
  const changes = given(recordedChanges(recording, evidence));
  t.equal(changes.instants.at(-1)?.checkpoint, 'paging_init');
  t.ok(changes.instants.length > 10);
  const times = changes.instants.map(({ time }) => time);
  t.same(
    times,
    [...times].sort((one, other) => one - other),
  );
  const sums = new Map(
    changes.rows.map(({ by, deeds }) => [
      by,
      deeds.reduce(
        (sum, { counts }) => sum.map((count, kind) => count + given(counts[kind])),
        [0, 0, 0, 0, 0, 0],
      ),
    ]),
  );
  const [whole] = timelineOf(recording);
  for (const { by, ...deed } of given(whole).deeds)
    t.same(sums.get(by), Object.values(deed), `the slices of ${by} are what the timeline has`);
  t.equal(changes.more, 0);
  t.end();
});

t.test('a slice tells where in the linear map it changed entries', (t) => {
  const changes = given(recordedChanges(recording, evidence));
  const mapped = given(changes.rows.find(({ by }) => by.endsWith('paging_init <- setup_arch')));
  t.same(mapped.areas, ['Linear mapping']);
  const stretches = mapped.deeds.flatMap(({ where }) => where);
  // 1 GiB of memory, whatever its tables span.
  t.equal(
    stretches.reduce((sum, [from, to]) => sum + to - from, 0),
    2 ** 18,
  );
  const patched = given(changes.rows.find(({ by }) => by.startsWith('__set_fixmap')));
  t.same(
    [patched.areas, patched.deeds.every(({ where }) => where.length === 0)],
    [['Fixmap'], true],
  );
  const { reader } = followRecording(recording);
  t.ok(reader.time >= given(changes.instants.at(-1)).time);
  t.end();
});

t.test('without a checkpoint nothing tells what addresses mean', (t) => {
  t.equal(recordedChanges(recording, { captures: [] }), undefined);
  t.end();
});

t.test('the report shows the whole boot without its script', (t) => {
  const { elements, errors } = parseStrictly(pageWith(hostile));
  t.same(errors, []);
  const rows = elements.filter((each) => attribute(each, 'data-deeds') !== undefined);
  t.same(
    rows.map((row) => textOf(row)),
    [`${hostile}Linear mapping5,00712`, 'early1'],
  );
  const box = given(elements.find((each) => attribute(each, 'class') === 'changes'));
  t.equal(attribute(box, 'data-instants'), '1000000 paging_init;2500000;3000000 init');
  t.match(textOf(box), /3 more that did less are left out/);
  t.end();
});
