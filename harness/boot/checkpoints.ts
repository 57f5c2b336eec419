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
  /** At its entry and its return the linear map is captured: it repaints where CPUs differ. */
  maybeSplit?: bigint;
  freeInitmem?: bigint;
  /** In its course, requests to split leaves are not recorded. */
  kfenceInit?: bigint;
  /** In its course, requests to split leaves follow from its arguments. */
  setMemoryRo?: bigint;
  /** From here on the CPU capabilities are final. */
  smpCpusDone?: bigint;
  /** Where KPTI rewrites the tables. */
  kptiRewrite?: bigint;
  /** By which a realm shares memory and takes it back. */
  decrypt?: bigint;
  encrypt?: bigint;
  /** By which the guest's init sends its events. */
  reboot?: bigint;
}

/** A stop that is passed hundreds of times. */
export interface FrequentStop {
  address: bigint;
  /**
   * The instruction there does nothing, so the guest can go on behind it instead of stepping over
   * the breakpoint.
   */
  skippable: boolean;
}

/**
 * Link address of the first of several functions that a kernel has, whatever a compiler made of its
 * name.
 */
function first(symbols: SymbolTable, ...names: string[]): bigint | undefined {
  const name = names.map((each) => symbols.codeName(each)).find((each) => each !== undefined);
  return name === undefined ? undefined : symbols.address(name);
}

/**
 * The same for functions whose arguments are read: those that a compiler made anew may have others.
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
    // setup_system_features() is what smp_cpus_done() calls to make them final.
    smpCpusDone: first(symbols, 'smp_cpus_done', 'setup_system_features'),
    kptiRewrite: exactly(symbols, 'idmap_kpti_install_ng_mappings'),
    // The operations of arch/arm64/mm/mem_encrypt.c have the arguments of those of a realm, which
    // they call.
    decrypt: exactly(symbols, 'realm_set_memory_decrypted', 'set_memory_decrypted'),
    encrypt: exactly(symbols, 'realm_set_memory_encrypted', 'set_memory_encrypted'),
    // Every system call passes do_el0_svc(), which has the same argument
    // (arch/arm64/kernel/syscall.c).
    reboot: exactly(symbols, '__arm64_sys_reboot', 'do_el0_svc'),
  };
}

/** What a boot shall record. */
interface Wanted {
  repaint: boolean;
  splits: boolean;
  sharing: boolean;
  kpti: boolean;
}

/** What cannot be seen of a boot, as the kernel has not the functions to stop at. */
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
 * Where to stop in a function that is called very often. Kernels that can be traced have two NOPs
 * at its entry, of which the first becomes `mov x9, x30` at boot and the second waits for a tracer
 * (arch/arm64/kernel/ftrace.c): arguments are still in their registers there.
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
