import type { SymbolTable } from '../src/linux/symbol-table.ts';

/** Where the guest is stopped, by link address; undefined where this kernel has no such function. */
export interface StopPlan {
  /** Entry of paging_init(); its return is the first checkpoint. */
  pagingInit?: bigint;
  /** Entry of the function that setup_arch() calls next, when paging_init() was inlined. */
  afterPagingInit?: bigint;
  freeInitmem?: bigint;
  /** By which the guest's init sends its events. */
  reboot?: bigint;
  panic?: bigint;
  /** Entry of split_kernel_leaf_mapping(), since 6.18. */
  split?: bigint;
}

/** Chooses the stops for a kernel (arch/arm64/kernel/setup.c, init/main.c, kernel/reboot.c, kernel/panic.c). */
export function planStops(symbols: SymbolTable, traceSplits: boolean): StopPlan {
  const pagingInit = symbols.address('paging_init');
  return {
    ...(pagingInit === undefined ? { afterPagingInit: symbols.address('bootmem_init') } : { pagingInit }),
    freeInitmem: symbols.address('free_initmem'),
    reboot: symbols.address('__arm64_sys_reboot'),
    panic: symbols.address('panic'),
    ...(traceSplits && { split: symbols.address('split_kernel_leaf_mapping') }),
  };
}
