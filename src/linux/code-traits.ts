// SPDX-License-Identifier: GPL-2.0-only
import { addressedPages, calls, moveConstants, roundings } from './code-constants.ts';
import type { KernelTraits } from './kernel-traits.ts';
import { PTE_DIRTY, PTE_PRESENT_INVALID, PTE_PXN, PTE_UXN, PTE_VALID } from './pgprot.ts';
import type { SymbolTable } from './symbol-table.ts';

/**
 * What a kernel's machine code shows of its traits: stable updates carry backports, so the release
 * alone does not tell. An answer is undefined where the code shows neither alternative: the
 * function was renamed or inlined, or differs from every kernel that was read so far.
 */

/**
 * This function builds PAGE_KERNEL_RO: one MOVK sets bits 63:48, to 0xe0 with PTE_DIRTY and to 0x60
 * without.
 */
export function kernelDirtyShown(image: Uint8Array, symbols: SymbolTable): boolean | undefined {
  const constants = moveConstants(image, symbols, 'mark_linear_text_alias_ro') ?? [];
  const high = constants.find(
    ({ kind, value }) => kind === 'movk' && (value & ~PTE_DIRTY) === (PTE_PXN | PTE_UXN),
  );
  return high && (high.value & PTE_DIRTY) !== 0n;
}

/**
 * The set_mask of set_direct_map_invalid_noflush() is PTE_PRESENT_INVALID (0x800) since
 * 15bfba1ad77f, in one MOVZ. Before, it is 0: in a structure for apply_to_page_range() up to 6.17,
 * and in a register beside the clear_mask PTE_VALID in 6.18.
 */
export function presentInvalidShown(image: Uint8Array, symbols: SymbolTable): boolean | undefined {
  const name = 'set_direct_map_invalid_noflush';
  const constants = moveConstants(image, symbols, name) ?? [];
  const loads = (mask: bigint): boolean =>
    constants.some(({ kind, value }) => kind === 'movz' && value === mask);
  if (loads(PTE_PRESENT_INVALID)) return true;
  return loads(PTE_VALID) || calls(image, symbols, name, 'apply_to_page_range') ? false : undefined;
}

/**
 * The symbol that mark_linear_text_alias_ro() starts from: _text since 5973a62efa34 (6.17, and
 * stable updates before), _stext before.
 */
export function aliasStartShown(
  image: Uint8Array,
  symbols: SymbolTable,
): KernelTraits['aliasStart'] | undefined {
  const pages = addressedPages(image, symbols, 'mark_linear_text_alias_ro') ?? [];
  return (['_text', '_stext'] as const).find((name) => {
    const address = symbols.address(name);
    return address !== undefined && pages.includes(address & ~0xfffn);
  });
}

/**
 * Whether mark_rodata_ro() ends with mark_linear_data_alias_valid(false), as in 7.3. Where that is
 * inlined, the call is to set_memory_valid().
 */
export function invalidatesDataAlias(image: Uint8Array, symbols: SymbolTable): boolean | undefined {
  const makers = ['mark_linear_data_alias_valid', 'set_memory_valid'];
  const answers = makers.map((name) => calls(image, symbols, 'mark_rodata_ro', name));
  return answers.some((answer) => answer === undefined) ? undefined : answers.includes(true);
}

/**
 * Whether map_mem() rounds each range of memory inward to whole pages, `start = PAGE_ALIGN(start);
 * end = end & PAGE_MASK`: two AND instructions with the page mask where it walks memblock; older
 * kernels have none. 7.3 has it, and so have stable updates: 6.12.117 has it, 6.12.115 does not.
 * The compiler inlines map_mem() into paging_init().
 */
export function mapsWholePagesShown(
  image: Uint8Array,
  symbols: SymbolTable,
  granule: number,
): boolean | undefined {
  const name = ['map_mem', 'paging_init'].find((walks) =>
    calls(image, symbols, walks, '__next_mem_range'),
  );
  const count = name === undefined ? undefined : roundings(image, symbols, name, granule);
  return count === undefined || count === 1 ? undefined : count >= 2;
}
