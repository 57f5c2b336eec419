// SPDX-License-Identifier: GPL-2.0-only
/** Is bit `position` of a register or descriptor set? */
export function bit(value: bigint, position: number): boolean {
  return ((value >> BigInt(position)) & 1n) === 1n;
}

/** The field of `width` bits (53 at most) that begins at `position`. */
export function field(value: bigint, position: number, width: number): number {
  return Number(BigInt.asUintN(width, value >> BigInt(position)));
}

/** Does [pa, pa + size) reach beyond an output address of `bits` bits? */
export function outOfRange(pa: number, size: number, bits: number): boolean {
  return pa + size > 2 ** bits;
}
