// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { narrowLine } from '../../src/bisect/line.ts';
import type { Answer } from '../../src/bisect/types.ts';

const candidates = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const narrow = (answers: Record<string, Answer>, signSide: 'old' | 'new' = 'new') =>
  narrowLine(candidates, { signSide }, new Map(Object.entries(answers)));

t.test('halves, steps aside of what cannot be tested, and ends at neighbours', async (t) => {
  t.same(narrow({}), { kind: 'test', candidate: 'd', suspects: 6 });
  t.same(narrow({ d: 'skip' }), { kind: 'test', candidate: 'c', suspects: 6 });
  t.same(narrow({ d: 'present' }), { kind: 'test', candidate: 'b', suspects: 3 });
  t.same(narrow({ d: 'present' }, 'old'), { kind: 'test', candidate: 'e', suspects: 3 });
  t.same(narrow({ c: 'absent', d: 'present' }), { kind: 'found', candidate: 'd', before: ['c'] });
  t.same(narrow({ f: 'absent' }), { kind: 'found', candidate: 'g', before: ['f'] });
  t.same(narrow({ b: 'absent', c: 'skip', d: 'skip', e: 'present' }), {
    kind: 'unclear',
    candidates: ['c', 'd', 'e'],
  });
});

t.test('two versions need no search', async (t) => {
  t.same(narrowLine(['a', 'b'], { signSide: 'new' }, new Map()), {
    kind: 'found',
    candidate: 'b',
    before: ['a'],
  });
});
