// SPDX-License-Identifier: GPL-2.0-only

/** An instruction by some of its bits (DDI 0487 C6.2). */
interface Instruction {
  mask: number;
  bits: number;
}

/** SYS of CRn 8 and 9. */
export const tlbi: Instruction = { mask: 0xfff8e000, bits: 0xd5088000 };
export const dsbIsh: Instruction = { mask: 0xffffffff, bits: 0xd5033b9f };
export const dsbIshst: Instruction = { mask: 0xffffffff, bits: 0xd5033a9f };
/** STR XZR, to the sum of two registers. */
export const clear: Instruction = { mask: 0xffe00c1f, bits: 0xf820081f };

/** STR XZR, to a register and an offset. */
export const clearAt: Instruction = { mask: 0xffc0001f, bits: 0xf900001f };
export const tlbiVaae1: Instruction = { mask: 0xffffffe0, bits: 0xd5088760 };
/** BL. */
export const call: Instruction = { mask: 0xfc000000, bits: 0x94000000 };

/** What is left out of the machine code of a function. */
export interface LeftOut {
  /** Its name; every function of this name, where the compiler made several. */
  function: string;
  what: Instruction;
  /** Only behind the first of these in the function. */
  behind?: Instruction;
  /** Only the first one. */
  first?: true;
  /** Only a BL to this function. */
  to?: string;
}

const nop = 0xd503201f;
const is = (word: number, { mask, bits }: Instruction): boolean => (word & mask) >>> 0 === bits;

/** Where a BL goes, as a distance from it in instructions. */
const distance = (word: number): number => (word << 6) >> 6;

/**
 * Replaces instructions by NOPs.
 * @param target how far `to` is from the first instruction of the function, in instructions
 * @returns how many
 */
export function leaveOut(
  code: Uint32Array,
  { what, behind, first }: LeftOut,
  target?: number,
): number {
  const from = behind === undefined ? 0 : code.findIndex((word) => is(word, behind));
  if (from < 0) return 0;
  let count = 0;
  for (let at = from; at < code.length; at++) {
    const word = code[at] as number;
    if (!is(word, what) || (target ?? at + distance(word)) !== at + distance(word)) continue;
    code[at] = nop;
    count++;
    if (first) break;
  }
  return count;
}
