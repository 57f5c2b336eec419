// SPDX-License-Identifier: GPL-2.0-only
/**
 * What may be free on a board with debug_pagealloc, against recorded boots of which the page
 * allocator's lists are known.
 */

import t from 'tap';
import { inferredFreePages } from '../../src/evidence/inferred-free.ts';
import { parseWalk } from '../../src/evidence/leaf-text.ts';
import { sizedRange } from '../../src/linux/physical-range.ts';
import { given } from '../given.ts';
import { differences, goldenNames, readGolden } from '../model/golden.ts';

/** All memory of the recorded boots lies below. */
const memory = [{ start: 0, end: 2 ** 40 }];

const recorded = goldenNames()
  .map(readGolden)
  .filter(({ question: { facts } }) => facts.freePages?.init !== undefined);
t.ok(recorded.length >= 4, 'boots of several generations');

for (const golden of recorded) {
  t.test(`${golden.from}: what is free is found in the tables`, async (t) => {
    const { facts, traits } = golden.question;
    const { walk } = given(golden.captures.find(({ checkpoint }) => checkpoint === 'init'));
    const { config, geometry } = traits;
    const kfence =
      facts.kfencePool === undefined
        ? []
        : [sizedRange(facts.kfencePool, (config.kfenceNumObjects + 1) * 2 * geometry.granule)];
    const found = inferredFreePages({ ttbr1: parseWalk(walk) }, traits, memory, kfence);
    t.ok(found.length > 0);
    const [one] = found;
    const without = inferredFreePages({ ttbr1: parseWalk(walk) }, traits, memory, [
      ...kfence,
      given(one),
    ]);
    t.same(without, found.slice(1), 'what is never free is left out');
    t.same(inferredFreePages({ ttbr1: parseWalk(walk) }, traits, [], []), [], 'no memory');
    const exact = differences(golden);
    facts.freePages = { ...facts.freePages, init: found };
    t.same(differences(golden), exact, 'the model is as exact as with the books');
    // The tables are witness enough only for pages that are not valid.
    facts.freePages.init = found.slice(1);
    t.ok(differences(golden).length > exact.length, 'a page that is invalid without being free');
  });
}
