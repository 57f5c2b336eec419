// SPDX-License-Identifier: GPL-2.0-only
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { loadKnownIssues, parseKnownIssue } from '../../results/known-issues.ts';
import { withKnown } from '../../src/diff/match-known.ts';
import type { Finding } from '../../src/diff/types.ts';
import { builtInScenario } from '../../src/scenario/built-in.ts';
import { given } from '../given.ts';

const sound = `---
id: early-split
title: Sharing before the capabilities are final fails
kernels: ["6.18..6.19"]
match:
  - splat/warn/split_kernel_leaf_mapping
when:
  world: realm
cause: split_leaf_mapping_possible() is false before the capabilities are final.
references:
  - f12b435de2f2 ("a subject")
---
How it shows.
`;

t.test('a sound file', (t) => {
  t.same(parseKnownIssue('early-split.md', sound), {
    id: 'early-split',
    title: 'Sharing before the capabilities are final fails',
    kernels: ['6.18..6.19'],
    match: ['splat/warn/split_kernel_leaf_mapping'],
    when: { world: 'realm' },
    cause: 'split_leaf_mapping_possible() is false before the capabilities are final.',
    references: ['f12b435de2f2 ("a subject")'],
    explanation: 'How it shows.',
  });
  t.end();
});

t.test('every fault is one sentence that names the file and the place', (t) => {
  const cases: [string, string, RegExp][] = [
    ['no front matter', 'text', /front matter between/],
    ['bad YAML', sound.replace('kernels: ["6.18..6.19"]', 'kernels: ["6.18'), /not YAML/],
    ['no kernels', sound.replace('kernels: ["6.18..6.19"]\n', ''), /kernels: /],
    ['empty kernels', sound.replace('["6.18..6.19"]', '[]'), /kernels: /],
    ['a range that is none', sound.replace('6.18..6.19', '6.18+'), /kernels\.0: .*FROM\.\.TO/],
    [
      'a pattern that hides everything',
      sound.replace('splat/warn/split_kernel_leaf_mapping', 'invariant/*/x'),
      /match\.0: /,
    ],
    [
      'an end of a boot that is none',
      sound.replace('splat/warn/split_kernel_leaf_mapping', 'splat/boot/crash'),
      /match\.0: a boot ends in splat\/boot\/panic, splat\/boot\/hang, splat\/boot\/died/,
    ],
    ['an unknown condition', sound.replace('world: realm', 'wold: realm'), /when: .*wold/],
    [
      'another id',
      sound.replace('id: early-split', 'id: late-split'),
      /'late-split', but must be .*'early-split'/,
    ],
    ['no text', sound.replace('How it shows.', ''), /no text below/],
  ];
  for (const [name, text, message] of cases) {
    t.throws(() => parseKnownIssue('early-split.md', text), { fault: 'usage', message }, name);
  }
  t.end();
});

t.test('a folder', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'ptdiff-known-'));
  t.teardown(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'README.md'), 'no issue');
  await writeFile(join(folder, 'early-split.md'), sound);
  await writeFile(join(folder, 'another.md'), sound.replace('id: early-split', 'id: another'));
  t.same(
    (await loadKnownIssues(folder)).map(({ id }) => id),
    ['another', 'early-split'],
  );
});

const brought = join(import.meta.dirname, '../../results/known-issues');

t.test('the issues that ptdiff brings can be read', async (t) => {
  t.resolves(loadKnownIssues(brought));
});

t.test('memory before _stext is known to be free at every time of a boot', async (t) => {
  const issues = await loadKnownIssues(brought);
  const scenario = given(builtInScenario('max'));
  for (const when of ['@init', '']) {
    const id = `invariant/kernel-text-read-only/user-alias-writable/during${when}`;
    const finding: Finding = { id, kind: 'invariant', title: '', detail: '' };
    const knownOn = (release: string) =>
      withKnown([finding], { release, scenario }, issues)[0]?.known;
    t.equal(knownOn('6.16.12+deb13-arm64'), 'text-head-not-mapped', `${id}: of 6.16`);
    t.equal(knownOn('6.17.13+deb13-arm64'), undefined, `${id}: mended in 6.17`);
  }
});
