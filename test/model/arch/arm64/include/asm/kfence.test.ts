// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { arm64_kfence_can_set_direct_map } from '../../../../../../src/model/arch/arm64/include/asm/kfence.ts';
import type { Kernel } from '../../../../../../src/model/boot-state.ts';

t.test('KFENCE asks for a linear map in pages where its pool may come late', async (t) => {
  for (const [kfence, kfenceEarlyInit, wanted] of [
    [true, false, true],
    [true, true, false],
    // The #else of CONFIG_KFENCE.
    [false, false, false],
  ] as const) {
    const kernel = { traits: { config: { kfence } }, decisions: { kfenceEarlyInit } } as Kernel;
    t.equal(arm64_kfence_can_set_direct_map(kernel), wanted, `${kfence}, ${kfenceEarlyInit}`);
  }
});
