// SPDX-License-Identifier: GPL-2.0-only
import type { PhysicalRange } from '../../../../../linux/physical-range.ts';
import type { PredictedRsiCall } from '../../../../types.ts';

type Call = Extract<PredictedRsiCall, { rsi: 'IPA_STATE_SET' }>;
/** A change of the state of memory that the kernel requests from the RMM. */
type StateChange = Omit<Call, 'where' | 'source' | 'before'>;

/**
 * Of arch/arm64/include/asm/rsi.h: a range becomes private, including what the host has destroyed.
 */
export function rsi_set_memory_range_protected(range: PhysicalRange): StateChange {
  return { step: 'unshare', rsi: 'IPA_STATE_SET', ...range, ripas: 'RAM', changeDestroyed: true };
}

/** Of arch/arm64/include/asm/rsi.h: a range becomes shared. */
export function rsi_set_memory_range_shared(range: PhysicalRange): StateChange {
  return { step: 'share', rsi: 'IPA_STATE_SET', ...range, ripas: 'EMPTY', changeDestroyed: true };
}

/**
 * rsi_set_memory_range_protected_safe(): memory that the host has destroyed without permission must
 * not become RAM again.
 */
export function rsi_set_memory_range_protected_safe(range: PhysicalRange): StateChange {
  return {
    step: 'setup-memory',
    rsi: 'IPA_STATE_SET',
    ...range,
    ripas: 'RAM',
    changeDestroyed: false,
  };
}
