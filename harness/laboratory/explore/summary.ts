// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import type { ExplorationSummary } from '../../../src/nightly/explored.ts';
import { drawAll } from '../../../src/scenario/random/draw.ts';
import { choicesOf } from '../../../src/scenario/random/space.ts';
import { spaceOf } from './draw-part.ts';
import type { Explored } from './explore.ts';

/** Draws that stand for all that an exploration can come by. */
const standingDraws = 3000;

/**
 * What an exploration has come to.
 * @param folder its folder
 */
export function summaryOf({ exploration, cases }: Explored, folder: string): ExplorationSummary {
  const { seed, kernels, differences } = exploration;
  const space = spaceOf(exploration);
  const all = drawAll(kernels, standingDraws).map((each) => choicesOf(each.scenario, each.kernel));
  return {
    seed,
    kernels,
    cases,
    differences: differences.map(({ smallest, ...difference }) => ({
      ...difference,
      ...(smallest && { file: join(folder, smallest.file) }),
    })),
    seen: space.share(all),
    pairs: space.size,
    folder,
  };
}
