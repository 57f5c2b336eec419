// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { tellFirst } from '../../src/history/tell-first.ts';
import { tellingScenarios } from '../../src/scenario/telling.ts';
import { look } from './look.ts';

const planned = (scenario: string) => ({
  case: `7.3.4@${scenario}`,
  kernel: 'debian:7.3',
  scenario,
});
const order = (names: readonly string[], looks: Parameters<typeof tellFirst>[1]) =>
  tellFirst(names.map(planned), looks).map(({ scenario }) => scenario);

t.test('what showed something undocumented comes first, then what is new', async (t) => {
  const known = look({ release: '7.3.4', day: 2, scenario: 'known' });
  const looks = [
    look({ release: '7.3.3', day: 1, scenario: 'often', findings: ['mismatch/x@init'] }),
    look({ release: '7.3.4', day: 1, scenario: 'often', findings: ['mismatch/x@init'] }),
    look({ release: '7.3.3', day: 1, scenario: 'once', findings: ['mismatch/x@init'] }),
    look({ release: '7.3.4', day: 1, scenario: 'once' }),
    { ...known, findings: [{ id: 'splat/x', known: 'an-issue' }] },
    look({ release: '7.3.4', day: 1, scenario: 'silent' }),
  ];
  t.same(order(['silent', 'known', 'new', 'once', 'often'], looks), [
    'often',
    'once',
    'new',
    'known',
    'silent',
  ]);
});

t.test('an error is no look', async (t) => {
  const looks = [
    look({ release: '7.3.4', day: 1, scenario: 'broken', end: 'error' }),
    look({ release: '7.3.4', day: 1, scenario: 'silent' }),
  ];
  t.same(order(['silent', 'broken'], looks), ['broken', 'silent']);
});

t.test('without a history the most telling come first, and the rest stays as it is', async (t) => {
  const [first = '', second = ''] = tellingScenarios;
  t.same(order(['b', second, 'a', first], []), [first, second, 'b', 'a']);
});
