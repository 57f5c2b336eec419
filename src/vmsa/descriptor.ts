// SPDX-License-Identifier: GPL-2.0-only

/** A stage 1 descriptor as two words, the lower one first. */
export interface Descriptor {
  low: number;
  high: number;
}

const valid = 1;
const tableBit = 2;

export const isValid = ({ low }: Pick<Descriptor, 'low'>): boolean => (low & valid) !== 0;

/** Whether a descriptor of a level leads to another table (DDI 0487 D8.3). */
export function isTable({ low }: Pick<Descriptor, 'low'>, level: number): boolean {
  return level < 3 && (low & (valid | tableBit)) === (valid | tableBit);
}

/** Whether a descriptor of a level is a valid page or block (DDI 0487 D8.3). */
export function isLeaf({ low }: Pick<Descriptor, 'low'>, level: number): boolean {
  return (low & (valid | tableBit)) === (level === 3 ? valid | tableBit : valid);
}
