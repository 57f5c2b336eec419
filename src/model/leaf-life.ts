// SPDX-License-Identifier: GPL-2.0-only
import type { Commit } from '../linux/changes/change.ts';
import { changes as tableOfChanges } from '../linux/changes/index.ts';
import { changesOf } from './changes.ts';
import { type LinearMap, NONE, TABLE } from './linear-map.ts';
import { predict } from './predict.ts';
import type { Question } from './question.ts';
import type { DerivationStep } from './types.ts';

/** One state of the leaf that translates an address. */
export interface LeafState {
  /** Level of the descriptor, 3 for a page. */
  level: number;
  /** Bits of the descriptor without its address. */
  attributes: bigint;
}

/** One change of the leaf that translates an address. */
export interface LeafChange {
  /**
   * The step of the derivation that had completed the change; a split is part of the step that
   * requests it.
   */
  step: DerivationStep;
  /** Its position in the derivation, from 0. */
  index: number;
  /**
   * The commits that gave the step's function its form in this kernel, as far as they are known.
   */
  commits: readonly Commit[];
  /** Absent where nothing is mapped any more. */
  leaf?: LeafState;
}

function leafAt(map: LinearMap, offset: number): LeafState | undefined {
  let table = map.root;
  for (;;) {
    const index = map.index(table, offset);
    const entry = table.at(index);
    if (entry === undefined || entry === NONE) return undefined;
    if (entry !== TABLE) return { level: table.level, attributes: map.attributes(entry) };
    const below = table.tables.get(index);
    if (!below) return undefined;
    table = below;
  }
}

const same = (a: LeafState | undefined, b: LeafState | undefined): boolean =>
  a?.level === b?.level && a?.attributes === b?.attributes;

/** This kernel's commits that changed the function of a step. */
function commitsOf({ where }: DerivationStep, { traits }: Question): Commit[] {
  return changesOf(traits, []).flatMap(({ id, has }) => {
    const { commits, functions } = tableOfChanges[id];
    return has && functions.includes(where) ? commits : [];
  });
}

/**
 * Which rules gave the leaf of an address its state, in boot order.
 * @param va a virtual address of the linear region
 * @returns nothing for an address that the linear map never has
 * @throws PredictedBug as predict() does
 */
export function lifeOfLeaf(question: Question, va: bigint): LeafChange[] {
  const changes: LeafChange[] = [];
  let before: LeafState | undefined;
  let index = 0;
  predict(question, (step, map) => {
    const leaf = map && leafAt(map, map.offsetOfVa(va));
    if (!same(before, leaf))
      changes.push({ step, index, commits: commitsOf(step, question), ...(leaf && { leaf }) });
    before = leaf;
    index++;
  });
  return changes;
}
