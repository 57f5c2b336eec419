// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Change, RuleTrait } from '../../src/linux/changes/change.ts';
import { byRelease, type ChangeId, changeIds, changes } from '../../src/linux/changes/index.ts';
import type { KernelTraits } from '../../src/linux/kernel-traits.ts';
import { parseRelease } from '../../src/linux/release.ts';
import { traitsOf } from '../../src/linux/traits.ts';
import { changesOf } from '../../src/model/changes.ts';
import { kernelOfSlice, readSlice, sliceNames } from '../linux/slices.ts';

const root = join(import.meta.dirname, '..', '..');

/** Path and text of every source file of a room, folders below it included. */
const sourcesOf = (...rooms: string[]): [path: string, text: string][] =>
  rooms.flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name): [string, string] => [
        `${room}/${name}`,
        readFileSync(join(root, room, name), 'utf8'),
      ]),
  );

const table = Object.entries(changes) as [ChangeId, Change][];
const commitsOf = ({ commits, undoneBy = [] }: Change) => [...commits, ...undoneBy];
const inTable = new Set(table.flatMap(([, change]) => commitsOf(change).map(({ id }) => id)));
/** The rooms that branch by a rule of the kernel. */
const sources = sourcesOf('src/model', 'src/linux', 'src/scenario', 'src/diff').filter(
  ([path]) => !path.startsWith('src/linux/changes/'),
);
const code = sources.map(([, text]) => text).join('\n');

t.test('every commit that the code cites has a row', async (t) => {
  const cited = sources.flatMap(([path, text]) =>
    [...text.matchAll(/\b(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{12}\b/g)].map(
      ([id]): [string, string] => [path, id],
    ),
  );
  t.ok(cited.length > 20, 'commits are found at all');
  t.same(
    cited.filter(([, id]) => !inTable.has(id)),
    [],
  );
});

t.test('the commits that were asked for are there', async (t) => {
  const asked = [
    ...['05c5c31e9d8d', 'a64293e993f6', '8dd640d9233d', 'f2ba877402e5', 'fb0f3ef5601a'],
    ...['dfd73e574d38', 'f8d0751426dd', '267b481d0b94', '06468bc3c936', '4955df16ff99'],
    ...['442d366cc1aa', '30c5e45ee2c5'],
  ];
  t.same(
    asked.filter((id) => !inTable.has(id)),
    [],
  );
});

t.test('every row is sound, and something depends on it', async (t) => {
  const issues = readdirSync(join(root, 'results/known-issues'));
  for (const [id, change] of table) {
    for (const commit of commitsOf(change)) {
      t.ok(commit.id !== undefined || commit.subject !== undefined, `${id}: a commit is named`);
      if (commit.id !== undefined) t.match(commit.id, /^[0-9a-f]{12}$/, id);
    }
    t.ok(change.functions.length > 0 && change.commits.length > 0, id);
    t.notMatch(change.rule, /\.$|\n/, id);
    for (const version of [change.since, change.until, change.taken, ...(change.stables ?? [])])
      if (version !== undefined) t.doesNotThrow(() => parseRelease(version), id);
    for (const issue of change.issues ?? []) t.ok(issues.includes(`${issue}.md`), issue);

    const byTrait = change.trait !== undefined && code.includes(`.${change.trait.name}`);
    const asked = code.includes(`byRelease(release, '${id}')`);
    const uses = [byTrait, asked, change.noBranch !== undefined];
    t.ok(uses.includes(true), `${id}: the model branches on it, or it says why not`);
    t.notOk((byTrait || asked) && change.noBranch, `${id}: a branch that it says there is none`);
  }
});

t.test('a branch by release names a row', async (t) => {
  // What is no rule: the names of the generations, and the ranges of known issues.
  const allowed = ['src/linux/release.ts', 'src/linux/traits.ts', 'src/diff/match-known.ts'];
  const others = sources.filter(
    ([path, text]) => text.includes('atLeast(') && !allowed.includes(path),
  );
  t.same(
    others.map(([path]) => path),
    [],
  );
  const literal = /atLeast\(\w+, \d/;
  t.same(
    sources.filter(([, text]) => literal.test(text)).map(([path]) => path),
    [],
  );
});

t.test('every trait that is a rule has a row', async (t) => {
  const facts: Record<Exclude<keyof KernelTraits, RuleTrait>, true> = {
    release: true,
    generation: true,
    newerThanKnown: true,
    geometry: true,
    config: true,
    requiresSymbol: true,
    cpuCapabilities: true,
    brokenDbm: true,
    builtInDrivers: true,
    rsiBeforePagingInit: true,
  };
  const named: (string | undefined)[] = table.map(([, { trait }]) => trait?.name);
  const { release, image, symbols } = kernelOfSlice(readSlice('7.3.4+deb13-arm64'));
  const rules = Object.keys(traitsOf(release, image, symbols).traits).filter(
    (key) => !(key in facts),
  );
  t.ok(rules.length > 15);
  t.same(
    rules.filter((key) => !named.includes(key)),
    [],
  );
});

/** What stands in the sources of these kernels, by hand: rows that each has. */
const old: ChangeId[] = ['kpti-with-mmu-on', 'kallsyms-long-names', 'kallsyms-order'];
const with613: ChangeId[] = [...old, 'table-access-flag', 'knows-realms', 'enabled-is-true'];
const with616: ChangeId[] = [...with613, 'linear-map-not-random'];
const with617: ChangeId[] = [
  ...with616,
  ...(['alias-from-text', 'bbml2-detected'] as const),
  ...(['crashkernel-cma', 'mitigations-have-vectors'] as const),
];
const with618: ChangeId[] = [...with617, 'large-with-bbm', 'rodata-on-is-full'];
const with619: ChangeId[] = [
  ...with618,
  ...(['alias-of-the-part', 'kernel-pages-dirty', 'invalid-stays-present'] as const),
];
const with70: ChangeId[] = [...with619, 'kallsyms-no-base', 'split-asks-requires'];
const with72: ChangeId[] = [
  ...with70,
  ...(['kernel-alias-first', 'existing-tables-kept', 'single-leaves-kept'] as const),
  ...(['contiguous-may-change', 'contiguous-protection', 'numbers-saturate'] as const),
];
const with73: ChangeId[] = [
  ...with72,
  ...(['whole-pages-only', 'data-alias-invalid', 'bbml3'] as const),
  ...(['small-swiotlb-in-realms', 'dma-address-by-attribute'] as const),
];
const with612: ChangeId[] = [...old, 'alias-from-text', 'kernel-pages-dirty', 'whole-pages-only'];
const expected: Record<string, ChangeId[]> = {
  '6.12.117+deb13-arm64': with612,
  '6.12.117+deb13-arm64-16k': with612,
  '6.16.12+deb13-arm64': with616,
  '6.17.13+deb13-arm64': with617,
  '6.18.15+deb13-arm64': with618,
  '6.19.14+deb13-arm64': with619,
  '7.0.13+deb13-arm64': with70,
  '7.1.13+deb13-arm64': with70,
  '7.2.13+deb14-arm64': [...with72, 'data-alias-read-only'],
  '7.3.4+deb13-arm64': with73,
  '7.3.4+deb13-arm64-16k': with73,
  '7.3.4': with73,
};

for (const name of sliceNames()) {
  t.test(`${name} has the rows of its source`, async (t) => {
    const { release, image, symbols } = kernelOfSlice(readSlice(name));
    const { traits, assumptions } = traitsOf(release, image, symbols);
    const of = changesOf(traits, assumptions);
    t.same(
      of
        .filter(({ has }) => has)
        .map(({ id }) => id)
        .sort(),
      [...(expected[name] ?? [])].sort(),
    );
    t.same(
      of.map(({ id }) => id),
      changeIds,
    );
    t.same(
      of.filter(({ by }) => by.startsWith('assumed')),
      [],
    );
  });
}

t.test('what tells is said: the Image, the release, or an assumption', async (t) => {
  const { release, image, symbols } = kernelOfSlice(readSlice('7.3.4+deb13-arm64'));
  const { traits } = traitsOf(release, image, symbols);
  const by = (id: ChangeId, assumptions: { trait: string; why: string }[] = []) =>
    changesOf(traits, assumptions).find((change) => change.id === id)?.by;
  t.equal(by('split-asks-requires'), 'its Image: whether it has the variable page_alloc_available');
  t.equal(by('kernel-alias-first'), 'its release');
  t.equal(by('bbml2-detected'), 'its release');
  t.equal(by('bbml3', [{ trait: 'bbml', why: 'it has none' }]), 'assumed: it has none');
  const fixed = { ...traits, config: { ...traits.config, randomizeBase: false } };
  const older = { ...fixed, release: parseRelease('6.12.1'), randomLinearMap: false };
  const notRandom = changesOf(older, []).find(({ id }) => id === 'linear-map-not-random');
  t.match(notRandom, { has: false, by: 'its release' }, 'no KASLR: nothing shows it');
});

t.test('what the Image shows counts, and not the release', async (t) => {
  const { release, image, symbols } = kernelOfSlice(readSlice('7.3.4+deb13-arm64'));
  const { traits } = traitsOf(release, image, symbols);
  const without = { ...traits, mapsWholePagesOnly: false, dataAlias: 'readOnly' as const };
  const of = (id: ChangeId) => changesOf(without, []).find((change) => change.id === id);
  t.match(of('whole-pages-only'), { has: false, by: /^its Image/ });
  t.match(of('data-alias-read-only'), { has: true, by: /^its Image/ });
  t.match(of('data-alias-invalid'), { has: false, by: /^its Image/ });
  t.match(of('bbml3'), { has: true });
  t.match(of('linear-map-not-random'), { has: true, by: /^its Image/ }, 'it has KASLR');
});

t.test('a stable update carries a rule on in its series only', async (t) => {
  const has = (version: string): boolean => byRelease(parseRelease(version), 'whole-pages-only');
  t.same(['6.12.116', '6.12.117', '6.12.118', '6.13.200', '7.2.13', '7.3-rc1'].map(has), [
    false,
    true,
    true,
    false,
    false,
    true,
  ]);
  const readOnly = (version: string): boolean =>
    byRelease(parseRelease(version), 'data-alias-read-only');
  t.same(['7.1', '7.2', '7.3', '8.0'].map(readOnly), [false, true, false, false]);
});
