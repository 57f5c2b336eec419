import type { SymbolTable } from './symbol-table.ts';

/** One MOVZ or MOVK of an A64 function: `value` is the immediate after its shift (Arm ARM C6.2, "MOVZ", "MOVK"). */
export interface MoveConstant {
  kind: 'movz' | 'movk';
  value: bigint;
}

const MOVE_WIDE_MASK = 0x7f800000;
const MOVZ = 0x52800000;
const MOVK = 0x72800000;

/**
 * Constants that the machine code of a kernel function loads with MOVZ and MOVK. Some of a kernel's properties have no symbol and no
 * configuration option, and stable updates carry them across releases: the code that uses them is the only honest witness.
 * @param image the whole kernel Image
 * @returns undefined when this kernel has no such function
 */
export function moveConstants(image: Uint8Array, symbols: SymbolTable, name: string): MoveConstant[] | undefined {
  const address = symbols.address(name);
  const size = symbols.size(name);
  if (address === undefined || size === undefined) return undefined;
  const start = Number(address - symbols.textBase);
  const end = Math.min(start + Number(size), image.length) & ~3;
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const found: MoveConstant[] = [];
  for (let offset = start; offset + 4 <= end; offset += 4) {
    const instruction = view.getUint32(offset, true);
    const opcode = instruction & MOVE_WIDE_MASK;
    if (opcode !== MOVZ && opcode !== MOVK) continue;
    const shift = BigInt((instruction >>> 21) & 3) * 16n;
    found.push({ kind: opcode === MOVZ ? 'movz' : 'movk', value: BigInt((instruction >>> 5) & 0xffff) << shift });
  }
  return found;
}
