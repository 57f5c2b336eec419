// SPDX-License-Identifier: GPL-2.0-only
import type { BootState, Kernel } from '../../../boot-state.ts';
import type { PredictedRsiCall } from '../../../types.ts';
import { rsi_set_memory_range_protected_safe } from '../include/asm/rsi.ts';

/*
 * What a kernel requests from the RMM. The calls, their arguments and their order are the same in
 * every kernel that knows realms: from c077711f718b and 42be24a4178f (6.13) to 7.3.
 */

const RSI = 'arch/arm64/kernel/rsi.c';

/** RSI_ABI_VERSION of arch/arm64/include/asm/rsi_smc.h: 1.0. */
const RSI_ABI_VERSION = 0x10000n;

/** The source of the calls, and the next checkpoint after them. */
function asked({ next }: BootState): Pick<PredictedRsiCall, 'source' | 'before'> {
  return { source: RSI, before: next };
}

/**
 * arm64_rsi_setup_memory(): for_each_mem_range() skips NOMAP memory, and does not round to the
 * kernel's pages.
 */
function arm64_rsi_setup_memory(state: BootState): PredictedRsiCall[] {
  const { memory } = state.memblock;
  const where = 'arm64_rsi_setup_memory()';
  state.why(where, RSI, `the RMM is asked for ${memory.length} ranges of memory to be RAM`);
  return memory.map((range) => ({
    ...rsi_set_memory_range_protected_safe(range),
    where,
    ...asked(state),
  }));
}

/**
 * The calls of arm64_rsi_init(): the version of the interface, the configuration of the realm, all
 * memory. `struct realm_config config` is a variable inside the kernel.
 */
export function rsi_calls(state: BootState): void {
  const { decisions, sections, why } = state;
  if (!decisions.realm) return;
  why(
    'arm64_rsi_init()',
    RSI,
    'asks for version 1.0 of the RSI, and for the configuration of the realm',
  );
  state.rsi.push(
    {
      step: 'version',
      rsi: 'VERSION',
      version: RSI_ABI_VERSION,
      where: 'rsi_version_matches()',
      ...asked(state),
    },
    {
      step: 'realm-config',
      rsi: 'REALM_CONFIG',
      within: { start: sections.aliasStart, end: sections.bssStop },
      where: 'rsi_get_realm_config()',
      ...asked(state),
    },
    ...arm64_rsi_setup_memory(state),
  );
}

/** arm64_rsi_init(): once it has returned, and not earlier, is_realm_world() is true in a realm. */
export function arm64_rsi_init({ traits, world, decisions, why }: Kernel): void {
  if (world !== 'realm' || !traits.knowsRealms) return;
  decisions.realm = true;
  const when = traits.rsiBeforePagingInit ? 'before' : 'after';
  why(
    'arm64_rsi_init()',
    `${RSI}, setup.c`,
    `is_realm_world() turns true ${when} paging_init(), and can_set_direct_map() with it`,
  );
}
