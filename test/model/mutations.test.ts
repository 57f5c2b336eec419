// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { mutations } from './mutations/index.ts';
import { broken } from './mutations/mutation.ts';
import { noticedBy } from './mutations/noticed-by.ts';

const root = join(import.meta.dirname, '..', '..');

t.test('each rule that mutation.test.ts breaks stands in its file, once', async (t) => {
  for (const mutation of mutations) {
    const source = readFileSync(join(root, mutation.file), 'utf8');
    t.not(broken(source, mutation), source, `${mutation.file}: ${mutation.rule}`);
  }
});

t.test('what is asked first is known of rules of the list', async (t) => {
  const names = new Set(mutations.map(({ rule }) => rule));
  for (const rule of noticedBy.keys()) t.ok(names.has(rule), rule);
});
