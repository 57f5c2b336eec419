// SPDX-License-Identifier: GPL-2.0-only

import type { KernelTraits } from '../linux/kernel-traits.ts';
import { kernelProt } from './arch/arm64/include/asm/pgtable-prot.ts';
import { setup_system_capabilities } from './arch/arm64/kernel/cpufeature.ts';
import { early_map_kernel } from './arch/arm64/kernel/pi/map_kernel.ts';
import { setup_arch } from './arch/arm64/kernel/setup.ts';
import { smp_init } from './arch/arm64/kernel/smp.ts';
import {
  kpti_install_ng_mappings,
  mark_linear_text_alias_ro,
  mark_rodata_ro,
} from './arch/arm64/mm/mmu.ts';
import { linear_map_maybe_split_to_ptes } from './arch/arm64/mm/mmu-split.ts';
import { realm_set_memory } from './arch/arm64/mm/pageattr.ts';
import type { BootOrder, BootState, Step } from './boot-state.ts';
import { kfence_init_pool } from './mm/kfence.ts';

const early_map: Step = {
  decides: early_map_kernel,
  does: (state) => {
    state.prot = kernelProt(state.traits, state.decisions);
  },
};

/** What a realm requests before the CPU capabilities are final: before smp_cpus_done(). */
function shareEarly(state: BootState): void {
  for (const request of state.question.facts.sharing)
    if (!request.capabilitiesFinal) realm_set_memory(state, request);
}

/**
 * The boot of a kernel: its steps, each of which changes the state that later steps see, and the
 * checkpoints between them. For a kernel that does something earlier, that step comes earlier. A
 * checkpoint that this kernel does not reach is skipped.
 */
export function bootOf(traits: KernelTraits): BootOrder {
  return [
    early_map,
    ...setup_arch(traits),
    { does: shareEarly },
    { does: kfence_init_pool },
    { does: smp_init },
    // setup_system_features(), called by smp_cpus_done(), begins here.
    { decides: setup_system_capabilities },
    'before_split',
    { does: linear_map_maybe_split_to_ptes },
    'after_split',
    { does: kpti_install_ng_mappings },
    { does: mark_linear_text_alias_ro },
    'smp_cpus_done',
    'free_initmem',
    { does: mark_rodata_ro },
    'init',
    // Of boards alone; nothing but what is in the facts has happened since.
    'live',
  ];
}
