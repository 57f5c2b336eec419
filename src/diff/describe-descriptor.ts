// SPDX-License-Identifier: GPL-2.0-only
import {
  descriptorLayouts,
  leafAttributes,
  nextTable,
  outputAddress,
} from '../vmsa/descriptor-layout.ts';
import type { Stage1Regime } from '../vmsa/regime.ts';
import type { Level } from '../vmsa/types.ts';
import { describeLeaf } from './describe-leaf.ts';

/**
 * One descriptor in words: a leaf as describeLeaf() has it, with its output address.
 * @param low its lower word
 * @param high its upper word
 */
export function describeDescriptor(
  regime: Stage1Regime,
  level: number,
  low: number,
  high: number,
): string {
  const layout = descriptorLayouts(regime).get(level as Level);
  const hex = (value: number) => `0x${value.toString(16)}`;
  if (low === 0 && high === 0) return 'nothing';
  if (layout === undefined) return `${hex(high)}${low.toString(16).padStart(8, '0')}`;
  if (level < 3 && (low & 3) === 3) return `the table at ${hex(nextTable(layout, low, high))}`;
  const pa = outputAddress(layout, low, high);
  const run = {
    va: 0n,
    pa,
    size: 2 ** layout.shift,
    level: level as Level,
    contiguous: ((high >>> (52 - 32)) & 1) === 1,
    valid: (low & 1) === 1,
    attributes: leafAttributes(layout, low, high),
    tableAttributes: 0,
  };
  return `${describeLeaf(regime, run)}, at ${hex(pa)}`;
}
