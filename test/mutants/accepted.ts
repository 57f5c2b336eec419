// SPDX-License-Identifier: GPL-2.0-only
/** Mutants that no test can notice, by keyOf(), each with the reason why it is equivalent. */
export const accepted: ReadonlyMap<string, string> = new Map<string, string>([
  // src/model itself: plans, runs of leaves, decisions.
  [
    'src/model/changes.ts isHidden: needs !== undefined => true',
    'no option is called undefined: what is not there is not false',
  ],
  [
    "src/model/decisions.ts decide: typeof step !== 'string' => true",
    'a checkpoint, which is a string, decides nothing; the type alone does not say so',
  ],
  [
    'src/model/late.ts lateSteps: machine.its !== false => (machine.its) === (false)',
    'two boots that differ in it still do, and those that do not are still alike',
  ],
  [
    'src/model/late.ts tellingLate: rest.delete(scenario) => undefined',
    'what was chosen has no news, so that it is not chosen again',
  ],
  [
    'src/model/leaf-runs.ts areasWithin: (areas[last] ).start < end => ((areas[last] ).start) <= (end)',
    'an area that begins where the run ends gets a piece of no bytes, which is none',
  ],
  [
    'src/model/leaf-runs.ts areasWithin: area.end <= start => (area.end) < (start)',
    'an area that ends where the run begins gets a piece of no bytes, which is none',
  ],
  [
    'src/model/leaf-runs.ts kindsOf: found => false',
    'the kind is worked out again: it takes longer',
  ],
  [
    'src/model/leaf-runs.ts kindsOf: known.set(code, kind) => undefined',
    'the kind is worked out again: it takes longer',
  ],
  [
    'src/model/linear-map.ts (at load): 0n => 1n',
    'newTable() sets it, and nothing reads it of the root, which no descriptor leads to',
  ],
  [
    'src/model/linear-map.ts constructor: 3 => 4',
    'each table of level 3 gets an empty map of its own: it takes more memory',
  ],
  [
    'src/model/linear-map.ts constructor: level === 3 => false',
    'each table of level 3 gets an empty map of its own: it takes more memory',
  ],
  [
    'src/model/predict.ts stateInOperation: pool => true',
    'a pool that is undefined is none; the type alone does not say so',
  ],
]);
