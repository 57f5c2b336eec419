// SPDX-License-Identifier: GPL-2.0-only
import { isTable } from '../vmsa/descriptor.ts';
import {
  descriptorLayouts,
  join,
  leafAttributes,
  nextTable,
  outputAddress,
} from '../vmsa/descriptor-layout.ts';
import type { Stage1Regime } from '../vmsa/regime.ts';
import type { Level } from '../vmsa/types.ts';
import { describeLeaf } from './describe-leaf.ts';
import { hex } from './text.ts';

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
  if (low === 0 && high === 0) return 'nothing';
  if (layout === undefined) return hex(join(low, high));
  if (isTable({ low }, level)) return `the table at ${hex(nextTable(layout, low, high))}`;
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
