// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import type { CaseResult } from '../../../src/diff/types.ts';
import { checksOf } from '../../../src/report/export/checks.ts';

const base: CaseResult = {
  case: '7.3.4@max',
  kernel: { spec: 'debian:7.3', release: '7.3.4', flavour: 'arm64', sha256: '', generation: '7.3' },
  scenario: 'max',
  verdict: 'pass',
  findings: [],
  linearMap: {},
  symbols: {},
  seconds: 1,
};
const finding = {
  id: 'update/size/split_pmd/not-broken',
  kind: 'update',
  title: '',
  detail: '',
} as const;
const outcomeOf = (change: Partial<CaseResult>) =>
  checksOf({ ...base, ...change }).find(({ name }) => name === 'table-updates')?.outcome;

t.test('updates of tables are a check of every recorded boot, and of no other', (t) => {
  t.equal(outcomeOf({}), undefined);
  t.equal(outcomeOf({ updates: [] }), 'pass');
  t.equal(outcomeOf({ updates: [], findings: [finding] }), 'fail');
  t.equal(outcomeOf({ updates: [], findings: [{ ...finding, known: 'an-issue' }] }), 'known');
  t.equal(outcomeOf({ updates: [], verdict: 'error' }), undefined, 'an error proves nothing');
  t.end();
});

t.test('a board of which nothing is predicted has skipped no part of a boot', (t) => {
  const board = (symbols: CaseResult['symbols']) =>
    checksOf({ ...base, linearMap: { live: { page: 4096 } as never }, symbols });
  const outcomes = (symbols: CaseResult['symbols']) =>
    board(symbols).map(({ name, outcome }) => `${name} ${outcome}`);
  t.same(outcomes({ grade: 'exact' }), ['prediction@live pass', 'invariants@live pass']);
  t.same(outcomes({ grade: 'not predicted' }), [
    'prediction@live unpredicted',
    'invariants@live pass',
  ]);
  t.end();
});
