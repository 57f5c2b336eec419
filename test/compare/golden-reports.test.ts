// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { formatComparison } from '../../src/report/compare/text.ts';
import type { ComparisonReport } from '../../src/report/compare/types.ts';
import { readFixture } from '../fixture.ts';
import { given } from '../given.ts';

const fixtures = join(import.meta.dirname, 'fixtures');
const reports = join(fixtures, 'reports');

function read(name: string): { report: ComparisonReport; text: string } {
  const path = join(reports, `${name}.json.gz`);
  const { schema: _, ...report } = readFixture<Omit<ComparisonReport, 'drawings'> & { schema: 1 }>(
    path,
    1,
  );
  return {
    report: { ...report, drawings: new Map() },
    text: readFileSync(join(reports, `${name}.txt`), 'utf8'),
  };
}

const names = readdirSync(reports)
  .filter((name) => name.endsWith('.txt'))
  .map((name) => name.replace('.txt', ''));

/** Keys of all differences by scenario, those from the model left out. */
function changes({ pairs }: ComparisonReport): Record<string, string[]> {
  const changed = pairs.map(
    ({ name, differences }) =>
      [name, differences.filter(({ aspect }) => aspect !== 'model').map(({ key }) => key)] as const,
  );
  return Object.fromEntries(changed.filter(([, keys]) => keys.length > 0));
}

t.test('the recorded reports read as they did, on about one page', async (t) => {
  t.same(names.sort(), [
    'early-rsi',
    'no-early-split',
    'no-realm-in-can-set-direct-map',
    'requires-false-after-repaint',
  ]);
  for (const name of names) {
    const { report, text } = read(name);
    t.equal(formatComparison(report), text, name);
    t.ok(text.split('\n').length < 100, name);
    t.ok(
      readdirSync(join(fixtures, 'patches')).includes(`${name}.patch`),
      'with the patch that they came from',
    );
  }
});

t.test(
  'setting the requires flag false after the repaint changes the flag, and nothing else',
  async (t) => {
    t.same(changes(read('requires-false-after-repaint').report), {
      'realm+neoverse-v3-r0p2+then-max': ['variable/linear_map_requires_bbml/1 → 0'],
      'monitor+neoverse-v3-r0p2+then-max': ['variable/linear_map_requires_bbml/1 → 0'],
    });
  },
);

t.test(
  'without the realm term memfd_secret() is refused, and sharing fails as before',
  async (t) => {
    const refused = [
      'probe/memfd_secret/touch fails with errno 14 → memfd_secret fails with errno 38',
    ];
    t.same(changes(read('no-realm-in-can-set-direct-map').report), {
      'realm+max+noalias+kfence100': refused,
      'realm+neoverse-v3-r0p2+noalias+kfence100': refused,
    });
  },
);

t.test('probing RSI early mends the realm that nothing else forces to pages', async (t) => {
  const { report } = read('early-rsi');
  t.same(
    report.pairs.flatMap(({ differences }) =>
      differences.filter(({ aspect }) => aspect === 'model'),
    ),
    [],
    'the model predicts the patched kernel as exactly as the other one',
  );
  const found = changes(report);
  const late = given(found['realm+max+noalias+kfence100']);
  t.ok(late.includes('layout/memory/sizes/the largest leaves that fit → pages only'));
  t.ok(late.includes('finding/gone/invariant/direct-map-promise/cannot-split'));
  t.ok(late.includes('shared/none → some'));
  const capable = given(found['realm+neoverse-v3-r0p2+noalias+kfence100']);
  t.ok(
    capable.includes('variable/linear_map_requires_bbml/0 → 1'),
    'a capable CPU keeps its blocks, and may split them',
  );
  t.notOk(capable.some((key) => key.startsWith('layout/memory/sizes')));
  t.same(
    Object.keys(found).filter((name) => !name.startsWith('realm+')),
    [],
    'outside of realms nothing changes',
  );
});
