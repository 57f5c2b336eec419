// SPDX-License-Identifier: GPL-2.0-only
import type { Commit } from '../linux/changes/change.ts';
import { changes as tableOfChanges } from '../linux/changes/index.ts';
import { changesOf } from './changes.ts';
import { type LinearMap, NONE, TABLE } from './linear-map.ts';
import { predict } from './predict.ts';
import type { Question } from './question.ts';
import type { DerivationStep } from './types.ts';

/** The leaf that translates an address, as one state of it. */
export interface LeafState {
  /** Level of the descriptor, 3 for a page. */
  level: number;
  /** Bits of the descriptor, those of its address left out. */
  attributes: bigint;
}

/** One change of the leaf that translates an address. */
export interface LeafChange {
  /**
   * The step of the derivation by whose end it had come about; what splits leaves is a part of the
   * step that asks for it.
   */
  step: DerivationStep;
  /** Its place in the derivation, from 0 on. */
  index: number;
  /** What gave the step's function the form that it has in this kernel, as far as it is known. */
  commits: readonly Commit[];
  /** Absent where nothing is mapped any more. */
  leaf?: LeafState;
}

function leafAt(map: LinearMap, offset: number): LeafState | undefined {
  let table = map.root;
  for (;;) {
    const index = map.index(table, offset);
    const entry = table.entries[index];
    if (entry === undefined || entry === NONE) return undefined;
    if (entry !== TABLE) return { level: table.level, attributes: map.attributes(entry) };
    const below = table.tables.get(index);
    if (!below) return undefined;
    table = below;
  }
}

const same = (a: LeafState | undefined, b: LeafState | undefined): boolean =>
  a?.level === b?.level && a?.attributes === b?.attributes;

/** The commits that a step cites, and those of this kernel that changed the step's function. */
function commitsOf({ where, source }: DerivationStep, { traits }: Question): Commit[] {
  return changesOf(traits, []).flatMap(({ id, has }) => {
    const { commits, functions } = tableOfChanges[id];
    if (!has) return [];
    if (functions.includes(where)) return [...commits];
    return commits.filter((commit) => commit.id !== undefined && source.includes(commit.id));
  });
}

/**
 * Which rules made the leaf of an address what it is, in the order of the boot.
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
