// SPDX-License-Identifier: GPL-2.0-only
import type { PhysicalRange } from '../../../../evidence/boot-facts.ts';
import type { ImageSections } from '../../../boot-state.ts';
import type { Derivation } from '../../../derivation.ts';
import type { PredictedRsiCall } from '../../../types.ts';

/*
 * What a kernel asks of the RMM. The calls, their arguments and their order are the same in every
 * kernel that knows realms: from c077711f718b and 42be24a4178f (6.13) to 7.3.
 */

const RSI = 'arch/arm64/kernel/rsi.c';

/** RSI_ABI_VERSION of arch/arm64/include/asm/rsi_smc.h: 1.0. */
const RSI_ABI_VERSION = 0x10000n;

type Call = Extract<PredictedRsiCall, { rsi: 'IPA_STATE_SET' }>;
type StateChange = Omit<Call, 'where' | 'source' | 'before'>;

/** Of arch/arm64/include/asm/rsi.h: a range becomes private, what the host has destroyed too. */
export function rsi_set_memory_range_protected(range: PhysicalRange): StateChange {
  return { step: 'unshare', rsi: 'IPA_STATE_SET', ...range, ripas: 'RAM', changeDestroyed: true };
}

/** Of arch/arm64/include/asm/rsi.h: a range becomes shared. */
export function rsi_set_memory_range_shared(range: PhysicalRange): StateChange {
  return { step: 'share', rsi: 'IPA_STATE_SET', ...range, ripas: 'EMPTY', changeDestroyed: true };
}

/**
 * rsi_set_memory_range_protected_safe(): what the host has destroyed without our permission must
 * not become RAM again.
 */
function rsi_set_memory_range_protected_safe(range: PhysicalRange): StateChange {
  return {
    step: 'setup-memory',
    rsi: 'IPA_STATE_SET',
    ...range,
    ripas: 'RAM',
    changeDestroyed: false,
  };
}

/**
 * arm64_rsi_setup_memory(): for_each_mem_range() passes over NOMAP memory, and knows nothing of
 * pages of the kernel.
 */
function arm64_rsi_setup_memory(
  memory: readonly PhysicalRange[],
  why: Derivation,
): PredictedRsiCall[] {
  why(
    'arm64_rsi_setup_memory()',
    RSI,
    `the RMM is asked for ${memory.length} ranges of memory to be RAM`,
  );
  const asked = { where: 'arm64_rsi_setup_memory()', source: RSI, before: 'free_initmem' } as const;
  return memory.map((range) => ({ ...rsi_set_memory_range_protected_safe(range), ...asked }));
}

/**
 * arm64_rsi_init() of a realm, called by setup_arch() after paging_init(): the version of the
 * interface, the configuration of the realm, all memory. `struct realm_config config` is a variable
 * of the kernel's own.
 * @param memory memblock.memory without NOMAP, ascending
 */
export function arm64_rsi_init(
  { aliasStart, bssStop }: Pick<ImageSections, 'aliasStart' | 'bssStop'>,
  memory: readonly PhysicalRange[],
  why: Derivation,
): PredictedRsiCall[] {
  const asked = { source: RSI, before: 'free_initmem' } as const;
  why(
    'arm64_rsi_init()',
    RSI,
    'asks for version 1.0 of the RSI, and for the configuration of the realm',
  );
  return [
    {
      step: 'version',
      rsi: 'VERSION',
      version: RSI_ABI_VERSION,
      where: 'rsi_version_matches()',
      ...asked,
    },
    {
      step: 'realm-config',
      rsi: 'REALM_CONFIG',
      within: { start: aliasStart, end: bssStop },
      where: 'rsi_get_realm_config()',
      ...asked,
    },
    ...arm64_rsi_setup_memory(memory, why),
  ];
}
