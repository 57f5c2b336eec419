// SPDX-License-Identifier: GPL-2.0-only

import { accessText } from '../linux/format-ptdump.ts';
import { geometryOf, levelShift } from '../linux/geometry.ts';
import { type LeafKind, leafKind } from '../linux/leaf-kind.ts';
import { attributeIndex, memoryType } from '../vmsa/memory-type.ts';
import { permissions } from '../vmsa/permissions.ts';
import type { Stage1Regime } from '../vmsa/regime.ts';
import type { Granule, LeafRun } from '../vmsa/types.ts';
import { bytesText } from './text.ts';

const kindNames: Record<LeafKind, string> = {
  page: 'pages',
  contPte: 'contiguous pages',
  pmd: 'PMD blocks',
  contPmd: 'contiguous PMD blocks',
  pud: 'PUD blocks',
};

/** Linux's name for such leaves, e.g. 'contiguous PMD blocks'. */
export function kindName(run: LeafRun): string {
  return kindNames[leafKind(run)];
}

/** Bytes that one leaf translates as a unit: a contiguous group counts as a whole. */
export function leafReach(run: LeafRun, granule: Granule): number {
  const geometry = geometryOf(granule);
  const { CONT_PTE_SIZE, CONT_PMD_SIZE } = geometry;
  const entry = 2 ** levelShift(geometry, run.level);
  if (!run.contiguous) return entry;
  return run.level === 3 ? CONT_PTE_SIZE : run.level === 2 ? CONT_PMD_SIZE : entry * 16;
}

const shareabilities = [
  'non-shareable',
  'reserved shareability',
  'outer shareable',
  'inner shareable',
];

/** Software bits and others worth naming, by position. */
const bitNames: [position: bigint, name: string][] = [
  [50n, 'guarded'],
  [51n, 'DBM'],
  [55n, 'dirty'],
  [56n, 'special'],
  [57n, 'bit 57'],
  [58n, 'bit 58'],
  [59n, 'bit 59'],
  [60n, 'bit 60'],
  [61n, 'bit 61'],
  [62n, 'bit 62'],
  [63n, 'bit 63'],
];

/**
 * The memory type's name, with the index where MAIR_EL1 contains it twice: MT_NORMAL_TAGGED is
 * MT_NORMAL without MTE.
 */
function memoryTypeText(regime: Stage1Regime, attributes: bigint): string {
  const { name, kind, encoding } = memoryType(regime, attributes);
  const same = regime.memoryAttributes.filter((other) => other === encoding).length;
  return kind === 'normal' && same > 1
    ? `${name} (AttrIndx ${attributeIndex(regime, attributes)})`
    : name;
}

/**
 * A leaf in words: kind, validity, effective rights of EL1 and EL0, memory type, shareability, nG,
 * AF and software bits, then the raw attribute bits, which contain everything.
 */
export function describeLeaf(regime: Stage1Regime, run: LeafRun): string {
  const set = (position: bigint) => ((run.attributes >> position) & 1n) === 1n;
  // It is useful to know what an invalid leaf would allow, so its bits are read as if it were
  // valid.
  const { el1, el0 } = permissions(regime, { ...run, attributes: run.attributes | 1n });
  const words = [
    `${kindName(run)} (${bytesText(leafReach(run, regime.granule))})`,
    run.valid ? 'valid' : 'INVALID',
    `EL1 ${accessText(el1)} EL0 ${accessText(el0)}`,
    memoryTypeText(regime, run.attributes),
    ...(regime.lpa2 ? [] : [shareabilities[Number((run.attributes >> 8n) & 3n)]]),
    // Bit 11 is PTE_PRESENT_INVALID in an invalid leaf.
    ...(run.valid ? [set(11n) ? 'nG' : 'global'] : []),
    ...(set(10n) ? [] : ['no AF']),
    ...bitNames.filter(([position]) => set(position)).map(([, name]) => name),
    ...(run.tableAttributes === 0 ? [] : [`tables 0x${run.tableAttributes.toString(16)}`]),
  ];
  return `${words.join(', ')} [0x${run.attributes.toString(16)}]`;
}
