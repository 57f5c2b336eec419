// SPDX-License-Identifier: GPL-2.0-only
import { linearRange } from '../linux/kernel-layout.ts';
import type { KernelTraits } from '../linux/kernel-traits.ts';
import type { Capture, SharingRequest } from './capture.ts';

/**
 * Bits of a realm's address space, whose top bit means memory that it shares with its host:
 * prot_ns_shared holds that bit (arm64_rsi_init(), arch/arm64/kernel/rsi.c). Undefined where the
 * kernel is no realm.
 */
export function ipaBitsOf({ variables }: Pick<Capture, 'variables'>): number | undefined {
  const { prot_ns_shared: bit = 0n } = variables;
  return bit === 0n ? undefined : bit.toString(2).length;
}

/**
 * What a realm shares, where nobody saw it ask: each stretch of shared memory in its linear map, as
 * if it had been one request. That it shares this memory is then no finding; how the kernel maps it
 * is compared.
 */
export function inferredSharing(
  { checkpoint, ttbr1 }: Pick<Capture, 'checkpoint' | 'ttbr1'>,
  ipaBits: number,
  { config, geometry }: Pick<KernelTraits, 'config' | 'geometry'>,
): SharingRequest[] {
  const { start, end } = linearRange(config.vaBits, geometry);
  const requests: SharingRequest[] = [];
  for (const { va, pa, size } of ttbr1.leaves) {
    if (pa < 2 ** (ipaBits - 1) || va < start || va >= end) continue;
    const pages = size / geometry.granule;
    const before = requests.at(-1);
    if (before && before.start + BigInt(before.pages * geometry.granule) === va)
      before.pages += pages;
    else
      requests.push({
        ...{ start: va, pages, direction: 'decrypt', caller: 'not seen', before: checkpoint },
        ...{ capabilitiesFinal: true, onlineCpus: 1 },
      });
  }
  return requests;
}
