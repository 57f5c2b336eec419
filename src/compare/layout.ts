// SPDX-License-Identifier: GPL-2.0-only
import { diffLeaves } from '../diff/compare.ts';
import { describeLeaf } from '../diff/describe-leaf.ts';
import { natureOf } from '../diff/nature.ts';
import { countText, hex } from '../diff/text.ts';
import type { CheckpointName } from '../evidence/capture.ts';
import { geometryOf } from '../linux/geometry.ts';
import type { LeafKind } from '../linux/leaf-kind.ts';
import type { Stage1Regime } from '../vmsa/regime.ts';
import type { LeafRun } from '../vmsa/types.ts';
import { attributeDifference } from './attributes.ts';
import { MEMORY, type PlacedMap, type Range } from './places.ts';
import { type AreaProfile, profileOf, SHARED, SPLIT_MEMORY, stretches } from './profile.ts';
import type { Difference, Sides } from './types.ts';

/** One checkpoint of both sides. */
interface LayoutPair {
  checkpoint: CheckpointName;
  maps: Sides<PlacedMap>;
  regimes: Sides<Stage1Regime>;
}

/** Kinds of leaves in an area, by what would fit. */
type Rule = Map<LeafKind, string>;

function ruleOf({ sizes }: AreaProfile): Rule {
  return new Map(
    [...sizes].map(([fits, actual]) => [fits, [...actual.keys()].sort().join(' and ')]),
  );
}

/** A rule in words, for the kinds that count. */
function ruleText(rule: Rule, kinds: readonly LeafKind[]): string {
  const used = kinds.map((kind) => [kind, rule.get(kind) ?? ''] as const);
  if (used.every(([fits, actual]) => fits === actual)) return 'the largest leaves that fit';
  if (used.every(([, actual]) => actual === 'page')) return 'pages only';
  const plain: Partial<Record<LeafKind, string>> = { contPmd: 'pmd', contPte: 'page' };
  if (used.every(([fits, actual]) => actual === (plain[fits] ?? fits)))
    return 'blocks, never contiguous';
  return used
    .filter(([fits, actual]) => fits !== actual)
    .map(([fits, actual]) => `${actual} where ${fits} fits`)
    .join(', ');
}

/**
 * Around single pages only one thing is a rule: whether larger leaves were split. How far they were
 * split depends on which pages were touched.
 */
function splitDifference(
  a: AreaProfile,
  b: AreaProfile,
): Omit<Difference, 'checkpoints'> | undefined {
  const text = ({ sizes }: AreaProfile): string =>
    [...sizes].every(([fits, actual]) => actual.has(fits) && actual.size === 1)
      ? 'not split'
      : 'split';
  const [was, is] = [text(a), text(b)];
  if (was === is) return undefined;
  return {
    key: `layout/${SPLIT_MEMORY}/${was} → ${is}`,
    aspect: 'layout',
    subject: SPLIT_MEMORY,
    a: was,
    b: is,
  };
}

/** The same leaves would fit, but the other side used different ones. */
function sizeDifference(
  name: string,
  a: AreaProfile,
  b: AreaProfile,
): Omit<Difference, 'checkpoints'> | undefined {
  if (name === SPLIT_MEMORY) return splitDifference(a, b);
  const [left, right] = [ruleOf(a), ruleOf(b)];
  const common = [...left.keys()].filter((kind) => right.has(kind));
  if (common.every((kind) => right.get(kind) === left.get(kind))) return undefined;
  const [ruleA, ruleB] = [ruleText(left, common), ruleText(right, common)];
  return {
    key: `layout/${name}/sizes/${ruleA} → ${ruleB}`,
    aspect: 'layout',
    subject: name,
    a: ruleA,
    b: ruleB,
  };
}

const sum = (area: AreaProfile | undefined): number =>
  [...(area?.attributes.values() ?? [])].reduce((total, { bytes }) => total + bytes, 0);

/** Memory of a realm that the host can see: whether there is any, and how much. */
function sharedDifference(
  a: AreaProfile | undefined,
  b: AreaProfile | undefined,
): Omit<Difference, 'checkpoints'> | undefined {
  const [left, right] = [sum(a), sum(b)];
  if (left === right) return undefined;
  const nature = left === 0 ? 'none → some' : right === 0 ? 'some → none' : 'another amount';
  const text = (bytes: number) => (bytes === 0 ? 'nothing' : `${bytes / 1024} KiB`);
  return {
    key: `shared/${nature}`,
    aspect: 'shared',
    subject: SHARED,
    a: text(left),
    b: text(right),
  };
}

/** Single pages and unsteady ranges of both maps, where exact leaves mean nothing. */
function inputRanges({ maps, regimes }: LayoutPair): Range[] {
  return (['a', 'b'] as const).flatMap((side) =>
    stretches(maps[side], geometryOf(regimes[side].granule)).filter(
      ({ split, area }) => split || area.name === 'KFENCE pool',
    ),
  );
}

/** Whether text, data, KFENCE pool and RAM have the same addresses. */
export function samePlaces({ a, b }: Sides<PlacedMap>): boolean {
  const key = ({ areas }: PlacedMap): string =>
    areas.map(({ name, start, end }) => `${name} ${start} ${end}`).join('\n');
  return key(a) === key(b);
}

/** Leaves that differ although everything has the same address and the rules are the same. */
function exactDifference(pair: LayoutPair): Omit<Difference, 'checkpoints'> | undefined {
  const { a, b } = pair.maps;
  if (!samePlaces(pair.maps)) return undefined;
  const ignored = inputRanges(pair);
  const atPlace = ({ runs }: PlacedMap) =>
    runs.map(({ run, start }) => ({ ...run, va: BigInt(start) }));
  const before = atPlace(a).map((run) => ({ ...run, why: MEMORY, alternatives: [] }));
  const differing = diffLeaves(before, atPlace(b)).filter((difference) => {
    const start = Number((difference.expected ?? difference.actual)?.va);
    return !ignored.some((range) => start >= range.start && start < range.end);
  });
  const [first] = differing;
  if (first === undefined) return undefined;
  const { expected, actual } = first;
  const nature =
    expected && actual
      ? natureOf(first, pair.regimes.a).replaceAll('-', ' ').replaceAll('+', ', ')
      : 'mapped on one side only';
  const text = (leaf: LeafRun | undefined, regime: Stage1Regime) =>
    leaf ? describeLeaf(regime, leaf) : 'not mapped';
  const where = hex((expected ?? actual)?.va ?? 0n);
  return {
    key: `layout/exact/${nature}`,
    aspect: 'layout',
    subject: `single leaves (${countText(differing.length, 'stretch', 'stretches')}, the first at PA ${where})`,
    a: text(expected, pair.regimes.a),
    b: text(actual, pair.regimes.b),
  };
}

/** What differs between two linear maps at one checkpoint. */
export function compareLayouts(pair: LayoutPair): Difference[] {
  const a = profileOf(pair.maps.a, geometryOf(pair.regimes.a.granule));
  const b = profileOf(pair.maps.b, geometryOf(pair.regimes.b.granule));
  const found: (Omit<Difference, 'checkpoints'> | undefined)[] = [];
  for (const name of new Set([...a.keys(), ...b.keys()])) {
    const [left, right] = [a.get(name), b.get(name)];
    if (name === SHARED) found.push(sharedDifference(left, right));
    else if (left && right) {
      found.push(sizeDifference(name, left, right));
      // An object page of KFENCE is valid or not, depending on the use of its object, and which
      // single pages were touched is an input of the boot.
      const steady = name !== SPLIT_MEMORY && name !== 'KFENCE pool';
      if (steady) found.push(attributeDifference(name, { a: left, b: right }, pair.regimes));
    } else if (name !== SPLIT_MEMORY) {
      const text = (area: AreaProfile | undefined) => (area ? 'mapped' : 'not mapped');
      found.push({
        key: `layout/${name}/only ${left ? 'a' : 'b'}`,
        aspect: 'layout',
        subject: name,
        a: text(left),
        b: text(right),
      });
    }
  }
  if (!found.some(Boolean)) found.push(exactDifference(pair));
  return found.flatMap((difference) =>
    difference ? [{ ...difference, checkpoints: [pair.checkpoint] }] : [],
  );
}
