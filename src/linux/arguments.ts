// SPDX-License-Identifier: GPL-2.0-only

/** An int argument: the upper half of the register is not defined (AAPCS64, 6.8.2). */
export const int = (register: bigint | undefined): number =>
  Number(BigInt.asIntN(32, register ?? 0n));

/** A bool argument: all but the lowest byte of the register is not defined (AAPCS64, 6.8.2). */
export const bool = (register: bigint): boolean => (register & 0xffn) !== 0n;
