// SPDX-License-Identifier: GPL-2.0-only
import type { KernelTraits } from '../../../../linux/kernel-traits.ts';
import type { BootOrder, Kernel, Step } from '../../../boot-state.ts';
import { arch_reserve_crashkernel } from '../../../kernel/crash_reserve.ts';
import { early_debug_pagealloc } from '../../../mm/debug_page_alloc.ts';
import { arch_parse_debug_rodata } from '../include/asm/setup.ts';
import { map_mem, map_mem_decisions, parse_kfence_early_init } from '../mm/mmu.ts';
import { arm64_rsi_init, rsi_calls } from './rsi.ts';

/** parse_early_param() of init/main.c. */
function parse_early_param(kernel: Kernel): void {
  arch_parse_debug_rodata(kernel);
  parse_kfence_early_init(kernel);
  early_debug_pagealloc(kernel);
}

const paging_init: Step = { decides: map_mem_decisions, does: map_mem };
const bootmem_init: Step = { does: arch_reserve_crashkernel };
const rsi_init: Step = { decides: arm64_rsi_init, does: rsi_calls };

/** setup_arch() of arch/arm64/kernel/setup.c, as far as the linear map depends on it. */
export function setup_arch({ rsiBeforePagingInit }: KernelTraits): BootOrder {
  return [
    { decides: parse_early_param },
    ...(rsiBeforePagingInit ? [rsi_init] : []),
    paging_init,
    'paging_init',
    bootmem_init,
    ...(rsiBeforePagingInit ? [] : [rsi_init]),
  ];
}
