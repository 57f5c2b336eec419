// SPDX-License-Identifier: GPL-2.0-only
/**
 * What may be free on a board with debug_pagealloc, against recorded boots of which the page
 * allocator's lists are known.
 */

import t from 'tap';
import { onlyWhatIsKnown } from '../../src/diff/not-known.ts';
import { inferredFreePages } from '../../src/evidence/inferred-free.ts';
import { parseWalk } from '../../src/evidence/leaf-text.ts';
import { sizedRange } from '../../src/linux/physical-range.ts';
import { predict } from '../../src/model/predict.ts';
import { given } from '../given.ts';
import { differences, goldenNames, questionOfGolden, readGolden } from '../model/golden.ts';

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

t.test('what was free when KPTI came matters before 15bfba1ad77f alone', async (t) => {
  const told = new Set<boolean>();
  // The boots above are not what they were.
  for (const golden of goldenNames().map(readGolden)) {
    const { facts, traits } = golden.question;
    if (facts.freeAtKpti === undefined) continue;
    delete facts.freeAtKpti;
    const unseen = [{ what: 'kpti' as const, why: 'nobody saw it' }];
    const symbols = { has: () => true };
    const prediction = predict(questionOfGolden(golden));
    const known = onlyWhatIsKnown(prediction, { unseen }, { symbols, traits });
    const { presentInvalid } = traits;
    t.equal('init' in known.prediction.checkpoints, presentInvalid, golden.from);
    t.equal(known.notKnown.length === 0, presentInvalid, known.notKnown.join(' '));
    t.equal(differences(golden).length === 0, presentInvalid, 'and so do the tables say');
    told.add(presentInvalid);
  }
  t.equal(told.size, 2);
});
