// SPDX-License-Identifier: GPL-2.0-only
import type { SymbolTable } from './symbol-table.ts';

/**
 * One MOVZ or MOVK of an A64 function: `value` is the immediate after its shift (Arm ARM C6.2,
 * "MOVZ", "MOVK").
 */
interface MoveConstant {
  kind: 'movz' | 'movk';
  value: bigint;
}

const MOVE_WIDE_MASK = 0x7f800000;
const MOVZ = 0x52800000;
const MOVK = 0x72800000;

const BRANCH_MASK = 0x7c000000;
const BRANCH = 0x14000000;

const ADRP_MASK = 0x9f000000;
const ADRP = 0x90000000;

/**
 * The 4 KiB aligned page that an ADRP at a link address refers to (Arm ARM C6.2, "ADRP"); undefined
 * for any other instruction.
 */
export function adrpPage(address: bigint, word: number): bigint | undefined {
  if ((word & ADRP_MASK) >>> 0 !== ADRP) return undefined;
  const immediate = (((word >>> 5) & 0x7ffff) << 2) | ((word >>> 29) & 3);
  return (address & ~0xfffn) + (BigInt.asIntN(21, BigInt(immediate)) << 12n);
}

/**
 * Instructions of a kernel function with their link addresses; undefined when this kernel has no
 * such function.
 */
function instructions(
  image: Uint8Array,
  symbols: SymbolTable,
  name: string,
): [address: bigint, word: number][] | undefined {
  const symbol = symbols.codeName(name) ?? name;
  const address = symbols.address(symbol);
  const size = symbols.size(symbol);
  if (address === undefined || size === undefined) return undefined;
  const start = Number(address - symbols.textBase);
  const end = Math.min(start + Number(size), image.length) & ~3;
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const words: [bigint, number][] = [];
  for (let offset = start; offset + 4 <= end; offset += 4) {
    words.push([address + BigInt(offset - start), view.getUint32(offset, true)]);
  }
  return words;
}

/**
 * Constants that the machine code of a kernel function loads with MOVZ and MOVK. Some of a kernel's
 * properties have no symbol and no configuration option, and stable updates carry them across
 * releases: only the code that uses them is reliable evidence.
 * @param image the whole kernel Image
 * @returns undefined when this kernel has no such function
 */
export function moveConstants(
  image: Uint8Array,
  symbols: SymbolTable,
  name: string,
): MoveConstant[] | undefined {
  return instructions(image, symbols, name)?.flatMap(([, word]) => {
    const opcode = word & MOVE_WIDE_MASK;
    if (opcode !== MOVZ && opcode !== MOVK) return [];
    const shift = BigInt((word >>> 21) & 3) * 16n;
    return [
      {
        kind: opcode === MOVZ ? ('movz' as const) : ('movk' as const),
        value: BigInt((word >>> 5) & 0xffff) << shift,
      },
    ];
  });
}

/**
 * Pages that a kernel function refers to with ADRP (Arm ARM C6.2, "ADRP"): link addresses, 4 KiB
 * aligned.
 * @returns undefined when this kernel has no such function
 */
export function addressedPages(
  image: Uint8Array,
  symbols: SymbolTable,
  name: string,
): bigint[] | undefined {
  return instructions(image, symbols, name)?.flatMap(
    ([address, word]) => adrpPage(address, word) ?? [],
  );
}

/**
 * Link addresses that a kernel function branches to with B or BL (Arm ARM C6.2, "B", "BL"), in code
 * order.
 * @returns undefined when this kernel has no such function
 */
export function branchTargets(
  image: Uint8Array,
  symbols: SymbolTable,
  name: string,
): bigint[] | undefined {
  return instructions(image, symbols, name)?.flatMap(([address, word]) =>
    (word & BRANCH_MASK) === BRANCH
      ? [address + BigInt.asIntN(28, BigInt(word & 0x3ffffff) << 2n)]
      : [],
  );
}

/**
 * Whether one kernel function calls another.
 * @returns false when the callee does not exist, undefined when the caller does not
 */
export function calls(
  image: Uint8Array,
  symbols: SymbolTable,
  caller: string,
  callee: string,
): boolean | undefined {
  const target = symbols.address(symbols.codeName(callee) ?? callee);
  return branchTargets(image, symbols, caller)?.some((address) => address === target);
}

/**
 * How often a kernel function rounds a value down to a multiple of a power of two: AND (immediate)
 * of 64 bits, whose mask clears exactly the bits below it (Arm ARM C6.2, "AND (immediate)").
 * @param unit the power of two, e.g. the bytes of a page
 * @returns undefined when this kernel has no such function
 */
export function roundings(
  image: Uint8Array,
  symbols: SymbolTable,
  name: string,
  unit: number,
): number | undefined {
  const bits = Math.log2(unit);
  const [immr, imms] = [64 - bits, 63 - bits];
  // sf = 1, N = 1; only Rn and Rd remain.
  const and = (0x92400000 | (immr << 16) | (imms << 10)) >>> 0;
  return instructions(image, symbols, name)?.filter(([, word]) => (word & ~0x3ff) >>> 0 === and)
    .length;
}
