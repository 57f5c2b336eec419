// SPDX-License-Identifier: GPL-2.0-only
import type { Assumptions } from './assumptions.ts';
import { branchTargets, calls } from './code-constants.ts';
import { has } from './image-config.ts';
import type { SymbolTable } from './symbol-table.ts';

/**
 * How many branches of setup_arch() come before the one that leads to a function: the call itself,
 * or a call of a function that calls it.
 */
function placeIn(image: Uint8Array, symbols: SymbolTable, callee: string): number | undefined {
  const address = symbols.address(symbols.codeName(callee) ?? callee);
  const targets = branchTargets(image, symbols, 'setup_arch') ?? [];
  const own = targets.indexOf(address ?? -1n);
  const place =
    own >= 0
      ? own
      : targets.findIndex((target) => {
          const { name, offset } = symbols.nameAt(target) ?? {};
          // A branch within setup_arch() is not a call.
          const isCall = name !== undefined && offset === 0n && name !== 'setup_arch';
          return isCall && calls(image, symbols, name, callee);
        });
  return place < 0 ? undefined : place;
}

/** Undefined where setup_arch() does not show it. */
function shownBySetupArch(image: Uint8Array, symbols: SymbolTable): boolean | undefined {
  const [rsi, paging] = ['arm64_rsi_init', 'paging_init'].map((callee) =>
    placeIn(image, symbols, callee),
  );
  return rsi === undefined || paging === undefined || rsi === paging ? undefined : rsi < paging;
}

/**
 * Whether setup_arch() (arch/arm64/kernel/setup.c) calls arm64_rsi_init() before paging_init(), so
 * that map_mem() knows whether it runs in a realm. No release up to 7.3 does; a vendor's or a
 * developer's kernel may. The order of the calls in the code shows it: both are __init functions of
 * other files, and setup_arch() runs straight through.
 */
export function rsiBeforePagingInit(
  image: Uint8Array,
  symbols: SymbolTable,
  assumed: Assumptions,
): boolean {
  const knowsRealms = has(symbols, ['arm64_rsi_init', 'rsi_present']);
  const shown = knowsRealms ? shownBySetupArch(image, symbols) : false;
  return assumed.trait('rsiBeforePagingInit', shown, {
    rule: false,
    others: [true],
    says: (early) => `arm64_rsi_init() runs ${early ? 'before' : 'after'} paging_init()`,
    why: 'setup_arch() does not show in which order it calls arm64_rsi_init() and paging_init()',
  });
}
