// SPDX-License-Identifier: GPL-2.0-only
import type { Evidence } from '../../src/evidence/capture.ts';
import type { SymbolTable } from '../../src/linux/symbol-table.ts';

/**
 * Where the guest is stopped, by link address; undefined where this kernel has no such function.
 */
export interface StopPlan {
  /** Entry of paging_init(); its return is the first checkpoint. */
  pagingInit?: bigint;
  /** Entry of the function that setup_arch() calls next, when paging_init() was inlined. */
  afterPagingInit?: bigint;
  /** The linear map is captured at its entry and its return: it repaints where CPUs differ. */
  maybeSplit?: bigint;
  freeInitmem?: bigint;
  /** While it runs, requests to split leaves are not recorded. */
  kfenceInit?: bigint;
  /** While it runs, requests to split leaves follow from its arguments. */
  setMemoryRo?: bigint;
  /** From here on the CPU capabilities are final. */
  smpCpusDone?: bigint;
  /** Where KPTI rewrites the tables. */
  kptiRewrite?: bigint;
  /** Functions with which a realm shares memory and takes it back. */
  decrypt?: bigint;
  encrypt?: bigint;
  /** The function through which the guest's init sends its events. */
  reboot?: bigint;
}

/** A stop that is reached hundreds of times. */
export interface FrequentStop {
  address: bigint;
  /**
   * The instruction at the stop has no effect, so the guest can continue after it instead of
   * stepping over the breakpoint.
   */
  skippable: boolean;
}

/**
 * Link address of the first of several functions that a kernel has, even if a compiler changed its
 * name.
 */
function first(symbols: SymbolTable, ...names: string[]): bigint | undefined {
  const name = names.map((each) => symbols.codeName(each)).find((each) => each !== undefined);
  return name === undefined ? undefined : symbols.address(name);
}

/**
 * The same for functions whose arguments are read: a variant that a compiler made may have other
 * arguments.
 */
function exactly(symbols: SymbolTable, ...names: string[]): bigint | undefined {
  return names.map((name) => symbols.address(name)).find((address) => address !== undefined);
}

/** Chooses the stops for a kernel (arch/arm64/kernel/setup.c, init/main.c, kernel/reboot.c). */
export function planStops(symbols: SymbolTable): StopPlan {
  const pagingInit = first(symbols, 'paging_init');
  return {
    ...(pagingInit === undefined
      ? { afterPagingInit: first(symbols, 'bootmem_init') }
      : { pagingInit }),
    maybeSplit: first(symbols, 'linear_map_maybe_split_to_ptes'),
    freeInitmem: first(symbols, 'free_initmem'),
    kfenceInit: first(symbols, 'kfence_init'),
    setMemoryRo: exactly(symbols, 'set_memory_ro'),
    // smp_cpus_done() calls setup_system_features(), which makes them final.
    smpCpusDone: first(symbols, 'smp_cpus_done', 'setup_system_features'),
    kptiRewrite: exactly(symbols, 'idmap_kpti_install_ng_mappings'),
    // The operations of arch/arm64/mm/mem_encrypt.c have the same arguments as those of a realm,
    // which they call.
    decrypt: exactly(symbols, 'realm_set_memory_decrypted', 'set_memory_decrypted'),
    encrypt: exactly(symbols, 'realm_set_memory_encrypted', 'set_memory_encrypted'),
    // Every system call goes through do_el0_svc(), which has the same argument
    // (arch/arm64/kernel/syscall.c).
    reboot: exactly(symbols, '__arm64_sys_reboot', 'do_el0_svc'),
  };
}

/** What to record in a boot. */
interface Wanted {
  repaint: boolean;
  splits: boolean;
  sharing: boolean;
  kpti: boolean;
}

/** What cannot be observed in a boot because the kernel lacks the functions to stop at. */
export function unseenOf(
  plan: StopPlan,
  wanted: Wanted,
  canRecordSplits: boolean,
): NonNullable<Evidence['unseen']> {
  const why = (name: string): string => `its symbol table has no ${name}()`;
  const has = (at: bigint | undefined): boolean => at !== undefined;
  const checks: [
    what: NonNullable<Evidence['unseen']>[number]['what'],
    missing: boolean,
    name: string,
  ][] = [
    ['paging_init', !has(plan.pagingInit ?? plan.afterPagingInit), 'paging_init'],
    ['before_split', wanted.repaint && !has(plan.maybeSplit), 'linear_map_maybe_split_to_ptes'],
    ['after_split', wanted.repaint && !has(plan.maybeSplit), 'linear_map_maybe_split_to_ptes'],
    ['free_initmem', !has(plan.freeInitmem), 'free_initmem'],
    ['init', !has(plan.reboot), '__arm64_sys_reboot'],
    ['splits', wanted.splits && !canRecordSplits, 'split_kernel_leaf_mapping'],
    [
      'sharing',
      wanted.sharing && !(has(plan.smpCpusDone) && has(plan.decrypt) && has(plan.encrypt)),
      'realm_set_memory_decrypted',
    ],
    ['kpti', wanted.kpti && !has(plan.kptiRewrite), 'idmap_kpti_install_ng_mappings'],
  ];
  return checks
    .filter(([, missing]) => missing)
    .map(([what, , name]) => ({ what, why: why(name) }));
}

/** NOP, and BTI with any target (DDI 0487 C6.2). */
const nop = 0xd503201f;
const isBti = (word: number) => (word & 0xffffff3f) >>> 0 === 0xd503241f;

/**
 * Where to stop in a function that is called very often. A kernel that can be traced has two NOPs
 * at its entry: the first becomes `mov x9, x30` at boot and the second waits for a tracer
 * (arch/arm64/kernel/ftrace.c). The arguments are still in their registers there.
 *
 * @param code the first instructions of the function, from the Image
 */
export function frequentStop(entry: bigint, code: Buffer): FrequentStop {
  const word = (index: number): number => code.readUInt32LE(index * 4);
  const first = isBti(word(0)) ? 1 : 0;
  return word(first) === nop && word(first + 1) === nop
    ? { address: entry + BigInt((first + 1) * 4), skippable: true }
    : { address: entry, skippable: false };
}
