// SPDX-License-Identifier: GPL-2.0-only
import { endOf, entriesOf, runsIn } from '../diff/runs.ts';
import type { Capture, CheckpointName } from '../evidence/capture.ts';
import { checkpointNames } from '../evidence/capture.ts';
import { linearMapSizes } from '../linux/leaf-kind.ts';
import { first } from '../present.ts';
import { type Stage1Regime, stage1Regime } from '../vmsa/regime.ts';
import type { LeafRun } from '../vmsa/types.ts';
import { compareLayouts, samePlaces } from './layout.ts';
import { type PlacedMap, placeMap, placeOffset } from './places.ts';
import {
  compareDecisions,
  compareEnds,
  compareFindings,
  compareProbes,
  compareRegisters,
  compareVariables,
  countRegisters,
  countVariables,
} from './state.ts';
import type {
  Compared,
  ComparedCase,
  Composition,
  Difference,
  PairComparison,
  Sides,
} from './types.ts';

/** The linear map of one side at one checkpoint. */
interface SideMap {
  runs: LeafRun[];
  regime: Stage1Regime;
  tables: number;
  placed: PlacedMap;
}

function sideMap(each: ComparedCase, capture: Capture): SideMap | undefined {
  const region = each.prediction?.linearRegion;
  const offset = placeOffset(each);
  const registers = capture.cpus[0]?.registers;
  if (!region || offset === undefined || !registers) return undefined;
  const regime = stage1Regime(registers, 'ttbr1');
  const runs = runsIn(capture.ttbr1.leaves, region.start, region.end);
  const within = { runs, offset, granule: regime.granule };
  const [first, last] = [runs[0], runs.at(-1)];
  const inside = ({ va }: { va: bigint }) => first && last && va >= first.va && va < endOf(last);
  return {
    runs,
    regime,
    tables: capture.ttbr1.tables.filter(inside).length,
    placed: placeMap(each, capture.checkpoint, within),
  };
}

/** The captures that both sides have. */
function commonCaptures({ a, b }: Sides<ComparedCase>): Sides<Capture>[] {
  const find = (each: ComparedCase, name: CheckpointName) =>
    each.evidence?.captures.find(({ checkpoint }) => checkpoint === name);
  return checkpointNames.flatMap((name) => {
    const [left, right] = [find(a, name), find(b, name)];
    return left && right ? [{ a: left, b: right }] : [];
  });
}

/** The values of one side at successive checkpoints: shared memory grows, for example. */
const inTurn = (same: readonly Difference[], side: 'a' | 'b'): string =>
  first(same).aspect === 'shared'
    ? [...new Set(same.map((difference) => difference[side]))].join(', then ')
    : first(same)[side];

/** One difference for all checkpoints that show it. */
function joinCheckpoints(differences: readonly Difference[]): Difference[] {
  return [...Map.groupBy(differences, ({ key }) => key).values()].map((same) => ({
    ...first(same),
    a: inTurn(same, 'a'),
    b: inTurn(same, 'b'),
    checkpoints: [...new Set(same.flatMap(({ checkpoints }) => checkpoints))],
  }));
}

/** Parts with another address or size, mapped by the same rules. */
function movedParts({ a, b }: Sides<PlacedMap>): string[] {
  if (samePlaces({ a, b })) return [];
  const range = (map: PlacedMap, name: string) => map.areas.find((area) => area.name === name);
  return [...new Set([...a.areas, ...b.areas].map(({ name }) => name))].flatMap((name) => {
    const [left, right] = [range(a, name), range(b, name)];
    if (!left || !right || name === 'memory') return [];
    if (left.end - left.start !== right.end - right.start) return [`${name} has another size`];
    return left.start === right.start ? [] : [`${name} lies elsewhere`];
  });
}

interface LayoutOutcome {
  differences: Difference[];
  moved: string[];
  compositions: Composition[];
  leaves: number;
}

function compareMaps(
  pair: Sides<ComparedCase>,
  captures: readonly Sides<Capture>[],
): LayoutOutcome {
  const outcome: LayoutOutcome = { differences: [], moved: [], compositions: [], leaves: 0 };
  for (const capture of captures) {
    const [a, b] = [sideMap(pair.a, capture.a), sideMap(pair.b, capture.b)];
    if (!a || !b) continue;
    const { checkpoint } = capture.a;
    const maps = { a: a.placed, b: b.placed };
    outcome.differences.push(
      ...compareLayouts({ checkpoint, maps, regimes: { a: a.regime, b: b.regime } }),
    );
    outcome.moved.push(...movedParts(maps));
    const composition = ({ runs, tables }: SideMap) => ({ ...linearMapSizes(runs), tables });
    outcome.compositions.push({ checkpoint, a: composition(a), b: composition(b) });
    for (const { runs, regime } of [a, b])
      outcome.leaves += runs.reduce((sum, run) => sum + entriesOf(run, regime.granule), 0);
  }
  return outcome;
}

const hasCompleted = ({ evidence }: ComparedCase): boolean => evidence?.end.kind === 'completed';

/**
 * Compares the evidence of two cases of one scenario. It separates what moved from what changed:
 * layouts are compared by their rules (which leaves are used where which would fit, in which part
 * of memory), and leaf by leaf where everything has the same address.
 */
export function compareCases(name: string, pair: Sides<ComparedCase>): PairComparison {
  const captures = commonCaptures(pair);
  const { a, b } = pair;
  const evidence = a.evidence && b.evidence ? { a: a.evidence, b: b.evidence } : undefined;
  const layout = compareMaps(pair, captures);
  const decisions = (each: ComparedCase) => Object.keys(each.prediction?.decisions ?? {}).length;
  const compared: Compared = {
    checkpoints: captures.length,
    leaves: layout.leaves,
    decisions: captures.reduce(
      (sum, each) => sum + countVariables(each),
      Math.min(decisions(a), decisions(b)),
    ),
    registers: captures.reduce((sum, each) => sum + countRegisters(each), 0),
    probes: evidence?.a.probes.length ?? 0,
  };
  return {
    name,
    scenario: a.result.scenario,
    cases: { a: a.result.case, b: b.result.case },
    completed: { a: hasCompleted(a), b: hasCompleted(b) },
    differences: joinCheckpoints([
      ...compareEnds(pair),
      ...layout.differences,
      ...(evidence ? captures.flatMap((each) => compareVariables(each, evidence)) : []),
      ...compareDecisions(pair),
      ...(evidence ? compareProbes(evidence) : []),
      ...captures.flatMap(compareRegisters),
      ...compareFindings({ a: a.result, b: b.result }),
    ]),
    moved: [...new Set(layout.moved)],
    compositions: layout.compositions,
    derivation: { a: a.prediction?.derivation ?? [], b: b.prediction?.derivation ?? [] },
    compared,
  };
}
